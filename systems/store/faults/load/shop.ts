import type { Visit } from 'trestle/testing'
import type { World } from '../world.ts'

/** Where visitors go. */
export interface Places {
  /** The store's gateway. */
  readonly store: string
  /** The payment system's. */
  readonly payments: string
}

/** What every visit knows. */
export interface Shop extends Places {
  readonly world: World
  /** By popularity. */
  readonly skuFor: (visit: Visit) => string
}

/** What a buyer is told when an order is placed. */
export interface PlacedOrder {
  readonly id: string
}

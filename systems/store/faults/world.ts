import type { SeededDraws } from 'trestle/testing'

/** Somebody who buys. */
export interface Buyer {
  readonly userId: string
  readonly email: string
  /** Of the session at the store. */
  readonly token: string
  readonly payer: Payer
}

/** The same person at the payment system, where they have another name. */
export interface Payer {
  readonly payerId: string
  readonly email: string
  readonly password: string
  readonly token: string
}

/** An order that a buyer knows of. */
export interface KnownOrder {
  readonly orderId: string
  readonly buyer: Buyer
}

/** What is for sale to the load: `skus` by popularity, and one of which there are few. */
export interface Goods {
  readonly skus: readonly string[]
  readonly scarce: string
  readonly scarceUnits: number
}

/** What visitors of one run have in common: who is free to come, and which orders there are. */
export class World {
  readonly buyers: readonly Buyer[]
  readonly goods: Goods
  /** Newer sessions of payers, by their ids. */
  readonly sessions = new Map<string, string>()
  /** Orders whose buyers have approved the payment. */
  readonly approved = new Set<string>()
  readonly #free: Buyer[]
  readonly #orders: KnownOrder[] = []

  constructor(buyers: readonly Buyer[], goods: Goods) {
    this.buyers = buyers
    this.goods = goods
    this.#free = [...buyers]
  }

  /** A buyer who is doing nothing else: a cart has one owner, and one visit at a time. */
  take(draws: SeededDraws): Buyer | undefined {
    return this.#free.splice(draws.below(this.#free.length), 1)[0]
  }

  give(buyer: Buyer): void {
    this.#free.push(buyer)
  }

  get ordersPlaced(): number {
    return this.#orders.length
  }

  placed(order: KnownOrder): void {
    this.#orders.push(order)
  }

  /** One of the newest orders. */
  recentOrder(draws: SeededDraws): KnownOrder | undefined {
    const recent = this.#orders.slice(-20)
    return recent.length === 0 ? undefined : draws.pick(recent)
  }
}

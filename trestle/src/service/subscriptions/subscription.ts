import type { KeyBase } from '../../store/inbox/accept.ts'
import type { SubscriptionRow } from '../../store/inbox/subscription-rows.ts'
import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import type { Seldom } from '../../std/seldom.ts'
import type { SubscriptionDeps, SubscriptionLimits } from './deps.ts'
import type { EventReader } from './read-event.ts'

/** A subscription at work in this process: what its parts share. */
export interface Subscription {
  readonly definition: SubscriptionDefinition
  readonly deps: SubscriptionDeps
  readonly limits: SubscriptionLimits
  readonly read: EventReader
  readonly base: KeyBase
  /** Its row; replaced when a replay has raised the generation. */
  row: Pick<SubscriptionRow, 'id' | 'generation'>
  /** A process that handled events of this service has gone without a word: tries are counted before they begin. */
  careful: boolean
  /** Aborts when the service stops. */
  readonly stopping: AbortController
  /** What is not worth a line each time. */
  readonly seldom: Seldom
}

/** What every line of the log says of a subscription. */
export function about({ definition, row }: Subscription) {
  return { subscription: definition.name, generation: row.generation }
}

import type { KeyBase } from '../../store/inbox/accept.ts'
import type { Claimed } from '../../store/inbox/claim.ts'
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
  /**
   * Of how many more events each try is counted before it begins: of as many as a process may have had in hand that has gone
   * without a word.
   */
  carefulFor: number
  /** Tries that have ended and may be counted, because nothing could be written: they are taken back before the next claim. */
  readonly uncounted: Set<Claimed>
  /** Aborts when the service stops. */
  readonly stopping: AbortController
  /** What is not worth a line each time. */
  readonly seldom: Seldom
}

/** What every line of the log says of a subscription. */
export function about({ definition, row }: Subscription) {
  return { subscription: definition.name, generation: row.generation }
}

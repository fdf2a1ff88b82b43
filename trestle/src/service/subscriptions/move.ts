import type { Lease } from '../../store/inbox/subscription-rows.ts'
import type { EventPosition } from '../../store/outbox/event-envelope.ts'

/** The place to write down together with events. */
export interface Move {
  readonly lease: Lease
  readonly next: EventPosition
  readonly occurredMs: number | undefined
}

import type { ContractEvent } from '../../contract/contract.ts'
import { readEvent } from '../../contract/read-event.ts'
import { childSpan, newTrace, parseTraceparent, type TraceContext } from '../../std/trace-context.ts'
import type { Delivery } from '../../store/inbox/subscription.ts'

/** An event as it stands in the inbox or comes from the bus. */
export interface WrittenEvent {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly key: string
  readonly keyVersion: number
  readonly occurredAt: number
  readonly payload: string
  readonly traceparent: string
}

/** An event that its reader's contract does not understand: trying again changes nothing. */
export class UnreadableEvent extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UnreadableEvent'
  }
}

/** Reads events by the contract of the reader. */
export type EventReader = (event: WrittenEvent) => Delivery

/** Makes the reader of a subscription: payloads are checked by the contract that the reader was written against. */
export function eventReader(events: readonly ContractEvent[]): EventReader {
  const byType = new Map(events.map((event) => [event.name, event]))
  return (event) => {
    const declared = byType.get(event.type)
    if (declared === undefined) throw new UnreadableEvent(`the subscription has no event ${event.type}`)
    const { id, type, version, key, keyVersion, occurredAt } = event
    const payload = readPayload(declared, event)
    return { event: payload, meta: { id, type, version, key, keyVersion, occurredAt, trace: spanOf(event) } }
  }
}

function readPayload(declared: ContractEvent, { version, payload }: WrittenEvent): unknown {
  const read = readEvent(declared, version, payload)
  if (read.ok) return read.value
  throw new UnreadableEvent(read.detail, read.cause === undefined ? {} : { cause: read.cause })
}

/** The span of the handling: a child of the span in which the event was published. */
function spanOf({ traceparent }: WrittenEvent): TraceContext {
  const publisher = parseTraceparent(traceparent)
  return publisher === undefined ? newTrace() : childSpan(publisher)
}

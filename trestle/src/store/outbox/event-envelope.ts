/** Where an event stands among all events of one database. Positions of one epoch are ordered by `xid`, then `seq`. */
export interface EventPosition {
  /** Rises when the database moves to another cluster or is restored: numbers of an earlier one say nothing then. */
  readonly epoch: number
  /** A transaction id, 64 bits, as decimal text. */
  readonly xid: string
  /** 64 bits, as decimal text. */
  readonly seq: string
}

/** A published event on its way. */
export interface EventEnvelope {
  /** A UUID version 7. */
  readonly id: string
  /** Id of the contract, `orders@1`. */
  readonly stream: string
  /** Name of the event within its contract. */
  readonly type: string
  /** Version of the payload's schema. */
  readonly version: number
  /** What orders it: events of one stream and key are read in their order. */
  readonly key: string
  /** Counted per stream and key over all types, from 1, without gaps. */
  readonly keyVersion: number
  /** Milliseconds since 1970. */
  readonly occurredAt: number
  /** JSON; `undefined` when the reader did not ask for this type: then only its place counts. */
  readonly payload: string | undefined
  /** W3C `traceparent` of the transaction that published it. */
  readonly traceparent: string
  readonly position: EventPosition
}

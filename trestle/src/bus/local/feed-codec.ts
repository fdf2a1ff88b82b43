import type { EventEnvelope, EventPosition } from '../../store/outbox/event-envelope.ts'
import type { FeedBatch } from '../../store/outbox/event-feed.ts'

/** What a reader in another process asks. */
export interface FeedQuery {
  readonly after: EventPosition | null
  /** `null`: all. */
  readonly types: readonly string[] | null
  readonly max: number
  readonly waitMs: number
  /** Service and subscription: what has not been read by it is kept for it. */
  readonly reader: string
}

/** Said of what came over a link and has not the form it must have. */
export class FeedFormError extends Error {}

const decimal = /^\d{1,20}$/
const typesMax = 1_000
const readMax = 1_000
const waitMaxMs = 60_000

/** @throws FeedFormError */
export function readQuery(value: unknown): FeedQuery {
  const { after, types, max, waitMs, reader } = record(value)
  if (types !== null && !isNames(types)) throw new FeedFormError('types must be a list of names')
  if (!isCount(max, readMax) || max === 0) throw new FeedFormError(`max must be from 1 to ${readMax}`)
  if (!isCount(waitMs, waitMaxMs)) throw new FeedFormError(`waitMs must be from 0 to ${waitMaxMs}`)
  if (typeof reader !== 'string' || reader.length > 300) throw new FeedFormError('reader must be a name')
  return { after: after === null ? null : readPosition(after), types, max, waitMs, reader }
}

/** A batch as it crosses: rows of values, so that names are not repeated for each event. */
export function writeBatch({ events, next, caughtUp }: FeedBatch): object {
  return {
    next,
    caughtUp,
    events: events.map((event) => [
      event.id,
      event.type,
      event.version,
      event.key,
      event.keyVersion,
      event.occurredAt,
      event.payload ?? null,
      event.traceparent,
      event.position.epoch,
      event.position.xid,
      event.position.seq,
    ]),
  }
}

/** @throws FeedFormError */
export function readBatch(stream: string, value: unknown): FeedBatch {
  const { next, caughtUp, events } = record(value)
  if (!Array.isArray(events) || typeof caughtUp !== 'boolean') throw new FeedFormError('malformed batch')
  return { next: readPosition(next), caughtUp, events: events.map((row: unknown) => readEvent(stream, row)) }
}

function readEvent(stream: string, row: unknown): EventEnvelope {
  if (!Array.isArray(row) || row.length !== 11) throw new FeedFormError('malformed event')
  const [id, type, version, key, keyVersion, occurredAt, payload, traceparent, epoch, xid, seq] = row as unknown[]
  const texts = [id, type, key, traceparent].every((text) => typeof text === 'string')
  const numbers = [version, keyVersion, occurredAt].every((number) => Number.isSafeInteger(number))
  if (!texts || !numbers || (payload !== null && typeof payload !== 'string'))
    throw new FeedFormError('malformed event')
  return {
    id: id as string,
    stream,
    type: type as string,
    version: version as number,
    key: key as string,
    keyVersion: keyVersion as number,
    occurredAt: occurredAt as number,
    payload: payload ?? undefined,
    traceparent: traceparent as string,
    position: readPosition({ epoch, xid, seq }),
  }
}

/** @throws FeedFormError */
export function readPosition(value: unknown): EventPosition {
  const { epoch, xid, seq } = record(value)
  const ok = Number.isSafeInteger(epoch) && isDecimal(xid) && isDecimal(seq)
  if (!ok) throw new FeedFormError('malformed position')
  return { epoch: epoch as number, xid, seq }
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= typesMax && value.every((name) => typeof name === 'string')
}

function isDecimal(value: unknown): value is string {
  return typeof value === 'string' && decimal.test(value)
}

function isCount(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new FeedFormError('an object was expected')
  return value as Readonly<Record<string, unknown>>
}

import type { ContractEvent, EventInputOf } from '../../contract/contract.ts'
import type { InputFault } from '../../contract/input-fault.ts'
import { wireSchema } from '../../contract/wire-schema.ts'
import { uuidv7 } from '../../std/ids.ts'
import { StoreError } from '../store-error.ts'
import type { BufferedEvent } from './publish-statement.ts'

/** Bytes of one payload as JSON: what brokers take without being told to take more. */
export const eventPayloadMaxBytes = 1_000_000
/** Events that one transaction may publish, and their payloads together. */
const eventsPerTransactionMax = 10_000
const payloadsPerTransactionMaxBytes = 32 << 20
/** A key is part of an index, whose entries are bounded. */
const keyMaxCharacters = 512

/** What one transaction has published so far. It is written down at the commit. */
export class PublishBuffer {
  readonly events: BufferedEvent[] = []
  readonly #now: () => number
  readonly #fullBytes: number | undefined
  readonly #publishes: ReadonlySet<string> | undefined
  #bytes = 0

  /**
   * @param fullBytes the bound that the outbox has passed, if it has
   * @param publishes ids of the contracts whose events may be published; default: of any
   */
  constructor(now: () => number, fullBytes?: number, publishes?: ReadonlySet<string>) {
    this.#now = now
    this.#fullBytes = fullBytes
    this.#publishes = publishes
  }

  /** @throws StoreError `event_invalid`, `overloaded` */
  add<E extends ContractEvent>(event: E, payload: EventInputOf<E>): void {
    if (this.#fullBytes !== undefined) {
      const why = `The outbox holds more than ${this.#fullBytes} bytes: its readers are behind, or are gone`
      throw new StoreError('overloaded', why)
    }
    checkOwn(event, this.#publishes)
    const written = wireSchema(event.payload).stringify(payload)
    const what = `${event.contract}.${event.name}`
    if (!written.ok) throw invalid(what, written.faults)
    const bytes = Buffer.byteLength(written.json)
    this.#bytes += bytes
    checkSize(what, bytes, this.events.length, this.#bytes)
    const occurredAt = this.#now()
    this.events.push({
      id: uuidv7(occurredAt),
      stream: event.contractId,
      type: event.name,
      version: event.version,
      key: keyOf(event, what, payload as Readonly<Record<string, unknown>>),
      payload: written.json,
      occurredAt,
    })
  }
}

/** What is published under another service's contract is read by nobody: its subscribers ask that service. */
function checkOwn({ contractId, name }: ContractEvent, publishes: ReadonlySet<string> | undefined): void {
  if (publishes === undefined || publishes.has(contractId)) return
  const own = publishes.size === 0 ? 'none' : [...publishes].join(', ')
  throw new StoreError(
    'event_invalid',
    `The event ${name} is of ${contractId}, which this service does not implement (its own: ${own}): publish it there, or declare an event in a contract of its own`,
  )
}

function invalid(what: string, faults: readonly InputFault[]): StoreError {
  const [first] = faults
  const where = first === undefined ? '' : `: ${first.pointer === '' ? 'the payload' : first.pointer} ${first.detail}`
  return new StoreError('event_invalid', `The event ${what} does not match its contract${where}`, {
    details: { faults },
  })
}

function checkSize(what: string, bytes: number, before: number, allBytes: number): void {
  if (bytes > eventPayloadMaxBytes) {
    throw invalid(what, [{ pointer: '', detail: `is larger than ${eventPayloadMaxBytes} bytes` }])
  }
  if (before >= eventsPerTransactionMax || allBytes > payloadsPerTransactionMaxBytes) {
    throw new StoreError(
      'event_invalid',
      `One transaction publishes at most ${eventsPerTransactionMax} events of ${payloadsPerTransactionMaxBytes >> 20} MiB: use several`,
    )
  }
}

function keyOf(event: ContractEvent, what: string, payload: Readonly<Record<string, unknown>>): string {
  const key = String(payload[event.key])
  if (key === '' || key.length > keyMaxCharacters || key.includes('\0') || !key.isWellFormed()) {
    throw invalid(what, [
      { pointer: `/${event.key}`, detail: `is the key: text of 1 to ${keyMaxCharacters} characters without U+0000` },
    ])
  }
  return key
}

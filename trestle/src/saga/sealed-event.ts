import type { ContractEvent } from '../contract/contract.ts'
import { readEvent } from '../contract/read-event.ts'

/** An event's payload as it is kept: with the version of its schema, because code that reads it may be newer. */
export function sealEvent(event: ContractEvent, payload: unknown): string {
  return JSON.stringify([event.version, event.payload.encode(payload)])
}

/** The payload as the contract reads it now. @throws Error when it cannot be made into the version that the contract knows */
export function openEvent(event: ContractEvent, sealed: string): unknown {
  const [version, payload] = JSON.parse(sealed) as [number, unknown]
  const read = readEvent(event, version, JSON.stringify(payload))
  if (!read.ok) throw new Error(read.detail, { cause: read.cause })
  return read.value
}

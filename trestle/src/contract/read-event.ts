import type { Parsed } from './compiled.ts'
import type { ContractEvent } from './contract.ts'
import type { InputFault } from './input-fault.ts'
import { wireSchema } from './wire-schema.ts'

/** What came of reading a payload. A fault stays one however often it is tried; new code may read it. */
export type EventRead =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly detail: string; readonly faults: readonly InputFault[]; readonly cause?: unknown }

/**
 * Reads the payload of an event by the contract of its reader, whichever version its publisher wrote. An earlier one is
 * made into today's by `upcast`, step by step; a later one is taken as long as what this reader knows is still in it.
 * @param json the payload as it was published
 * @example readEvent(orders.events.placed, 1, '{"id":"a"}')
 */
export function readEvent(event: ContractEvent, version: number, json: string): EventRead {
  const what = `version ${version} of ${event.contract}.${event.name}`
  const parsed = parse(json)
  if (!parsed.ok) return { ok: false, detail: `${what} is no JSON`, faults: [], cause: parsed.cause }
  const current = upcast(event, version, parsed.value)
  if (!current.ok) {
    const detail = `${what} could not be made into version ${current.at + 1}: upcast ${current.at} failed`
    return { ok: false, detail, faults: [], cause: current.cause }
  }
  const read = wireSchema(event.payload).read(current.value)
  return read.ok ? read : { ok: false, detail: mismatch(event, version, what, read), faults: read.faults }
}

function parse(json: string) {
  try {
    return { ok: true as const, value: JSON.parse(json) as unknown }
  } catch (cause) {
    return { ok: false as const, cause }
  }
}

function upcast(event: ContractEvent, from: number, payload: unknown) {
  let value = payload
  for (let at = from; at < event.version; at += 1) {
    const make = event.upcast[at]
    try {
      if (make !== undefined) value = make(value)
    } catch (cause) {
      return { ok: false as const, at, cause }
    }
  }
  return { ok: true as const, value }
}

function mismatch(event: ContractEvent, version: number, what: string, { faults }: Parsed & { ok: false }): string {
  const [first] = faults
  const why = first === undefined ? '' : `: ${first.pointer === '' ? 'the payload' : first.pointer} ${first.detail}`
  if (version > event.version) {
    return `${what} does not match version ${event.version}, the last that its reader knows${why}`
  }
  if (version < event.version) return `${what} does not match version ${event.version} after its upcasts${why}`
  return `${what} does not match its reader's contract${why}`
}

import type { InputFault } from './input-fault.ts'
import type { AnyOperation } from './operation.ts'
import type { RestInput } from './rest-input.ts'

export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly faults: readonly InputFault[] }

export type ParsedRest =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false
      readonly code: 'invalid_input' | 'unsupported_media_type'
      readonly faults: readonly InputFault[]
    }

export type Serialized =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly contentType: string }
  | { readonly ok: false; readonly faults: readonly InputFault[] }

/** An HTTP request for an operation, as its clients send it. */
export interface RestRequest {
  readonly method: string
  /** Path with the query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: string | undefined
  readonly body: Uint8Array | undefined
}

/** An operation made ready to run: what crosses is exactly what the contract declares, as a copy, checked once. */
export interface CompiledOperation {
  readonly operation: AnyOperation & { readonly name: string }
  /** Wire input -> what the handler reads: a validated copy, undeclared fields dropped, defaults set, codecs decoded. */
  parseInput(value: unknown): Parsed
  /** An HTTP request -> what the handler reads. Path, query and header values are coerced; bodies never. */
  parseRest(rest: RestInput): ParsedRest
  /** What the handler returned -> what the caller reads, as a validated copy (for calls within a process). */
  parseOutput(value: unknown, status: number): Parsed
  /** The bytes of a reply as they came over a wire -> what the caller reads. The other way round of `serializeOutput`. */
  parseReply(bytes: Uint8Array, status: number): Parsed
  /** What the handler returned -> validated JSON bytes; empty without an output; the octets of a `bytes()` output. */
  serializeOutput(value: unknown, status: number): Serialized
  /**
   * Flat input -> an HTTP request (for calls to services that are not Trestle's).
   * @throws TypeError when the input is invalid or a value cannot stand in its place (`..` in a path)
   */
  toRest(value: unknown): RestRequest
  /** Checks the details of a declared error and copies them. */
  parseDetails(code: string, details: unknown): Parsed
}

/** One fault in a value that crossed the wire. */
export interface InputFault {
  /** JSON Pointer into the flat input (RFC 6901). */
  readonly pointer: string
  readonly detail: string
}

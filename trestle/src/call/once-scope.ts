/**
 * Work that must have its effect once, however often it runs: a keyed operation, the handling of an event, a step of a
 * saga, a run of a job. Calls made by it get keys derived from its own, so that a repetition asks for the same again.
 */
export interface OnceScope {
  /** The key of the work itself; the same at each repetition. */
  readonly key: string
  /** Key of the next call of this operation (`inventory.reserve`): derived from the work's key, the operation and a count. */
  keyFor(operation: string): string
  /** Sent with every call: the key of earlier work whose calls, should they still arrive, must do nothing. */
  readonly cancels?: string
}

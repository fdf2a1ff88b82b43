/** The parts of an HTTP request that an operation's flat input is bound from, not yet parsed. */
export interface RestInput {
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>
  /** The raw query string without `?`. */
  readonly query: string
  /** The headers that the operation binds, by input field. */
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: string | undefined
  readonly body: Uint8Array | undefined
}

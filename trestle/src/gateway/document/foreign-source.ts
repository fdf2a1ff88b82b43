/** A foreign OpenAPI document: where it stands (`file:`), or itself. */
export type ForeignSource = URL | { readonly openapi: string; readonly [member: string]: unknown }

/** A foreign document, and how it fits to what is in front of it. */
export interface ForeignDocumentOptions {
  readonly document: ForeignSource
  /** Put before every path of the document to get the path that the upstream gets: the path of its server, `/v2`. */
  readonly base?: string
  /** What becomes of requests that the document does not know: 404 and 405 (`refuse`, default), or passed on unseen. */
  readonly unknown?: 'refuse' | 'pass'
}

/** With everything said. @throws TypeError for what is neither */
export function foreignOptions(given: ForeignSource | ForeignDocumentOptions): Required<ForeignDocumentOptions> {
  const options: ForeignDocumentOptions =
    given instanceof URL || !('document' in given)
      ? { document: given as ForeignSource }
      : (given as ForeignDocumentOptions)
  const { document, base = '', unknown = 'refuse' } = options
  if (!(document instanceof URL) && typeof document?.openapi !== 'string') {
    throw new TypeError('openapi: a file: URL of an OpenAPI document, or the document itself')
  }
  if (base !== '' && !/^(?:\/[A-Za-z0-9_.~-]+)+$/.test(base)) {
    throw new TypeError(`openapi: base must be like /v2, not ${JSON.stringify(base)}`)
  }
  return { document, base, unknown }
}

import type { Policy } from '../policy/policy.ts'
import type { ContentCoding } from './accept-encoding.ts'

/** What may be said of compression. */
export interface CompressOptions {
  /** In the order of liking, where a client likes them alike; default `br`, then `gzip`. */
  readonly codings?: readonly ContentCoding[]
  /** Smaller replies stay as they are; default 1,024. */
  readonly minBytes?: number
  /** Further media types that gain by it: `application/vnd.tables`. Text, JSON, XML, scripts and vector images do anyway. */
  readonly types?: readonly string[]
}

const mediaType = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/

/**
 * Compresses replies for clients that accept it (`Accept-Encoding` with its weights), where the type gains by it. What
 * is encoded already, partial (206), an event stream, digested or marked `no-transform` stays as it is; a strong `ETag`
 * becomes weak, `Vary` names `Accept-Encoding`. Do not compress replies that hold both a secret and something that a
 * stranger may choose: their length would tell of the secret.
 * @throws TypeError for a coding, a size or a type that is none
 * @example gateway({ routes: [expose(catalogue)], policies: [compress()] })
 */
export function compress(options: CompressOptions = {}): Policy {
  const { codings = ['br', 'gzip'], minBytes = 1_024, types = [] } = options
  if (codings.length === 0 || codings.some((coding) => coding !== 'br' && coding !== 'gzip')) {
    throw new TypeError('compress: codings are br and gzip')
  }
  if (!Number.isSafeInteger(minBytes) || minBytes < 0) throw new TypeError(`compress: minBytes is ${minBytes}`)
  const odd = types.find((type) => !mediaType.test(type))
  if (odd !== undefined) throw new TypeError(`compress: ${JSON.stringify(odd)} is no media type in lower case`)
  return {
    kind: 'policy',
    name: 'compress',
    // Outermost: what is cached or looked at by other policies is the plain reply.
    stage: 'limits',
    async open({ target }) {
      if (target === 'redirect') return undefined
      const { openCompress } = await import('./open-compress.ts')
      return openCompress({ codings, minBytes, types })
    },
  }
}

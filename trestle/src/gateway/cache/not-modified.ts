import type { Headers } from '../../http/message.ts'
import type { StoredReply } from './stored-reply.ts'

/** Whether a client has this reply already. Source: RFC 9110, section 13.2.2. */
export function isNotModified(headers: Headers, { status, etag, lastModified }: StoredReply): boolean {
  if (status !== 200) return false
  const given = headers.get('if-none-match')
  if (given !== undefined) return matches(given, etag)
  const since = headers.get('if-modified-since')
  if (since === undefined || lastModified === undefined) return false
  return Date.parse(lastModified) <= Date.parse(since)
}

/** Weakly: the same for whoever reads it. */
function matches(given: string, etag: string | undefined): boolean {
  if (given.trim() === '*') return true
  if (etag === undefined) return false
  const wanted = etag.replace(/^W\//, '')
  return [...given.matchAll(/(?:W\/)?("[^"]*")/g)].some(([, tag]) => tag === wanted)
}

/** What a 304 says of the reply that the client has. Source: RFC 9110, section 15.4.5. */
export const saidOfNotModified = /^(?:cache-control|content-location|date|etag|expires|last-modified|vary)$/i

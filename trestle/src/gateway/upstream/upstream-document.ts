import type { OpenForeign } from '../document/open-foreign.ts'
import type { UpstreamSpec } from './upstream.ts'

/** What an upstream says of itself, made ready. @throws TypeError when it cannot be used */
export async function upstreamDocument(spec: UpstreamSpec): Promise<OpenForeign | undefined> {
  if (spec.openapi === undefined) return undefined
  const { rewrite, pattern } = spec
  if (rewrite.kind === 'template') {
    throw new TypeError(`upstream(${pattern}): openapi goes with prefixes, not with rewrite`)
  }
  const { openForeign } = await import('../document/open-foreign.ts')
  return await openForeign(spec.openapi, { ...spec, strip: rewrite.strip, add: rewrite.add })
}

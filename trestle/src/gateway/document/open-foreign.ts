import type { Access } from '../../contract/access.ts'
import type { Policy } from '../policy/policy.ts'
import { validationPolicy } from '../validation/open-validation.ts'
import type { ForeignDocumentOptions } from './foreign-source.ts'
import type { ForeignPart } from './merge.ts'
import { type Exposure, publicOperations } from './public-operations.ts'
import { readForeign } from './read-foreign.ts'
import { readOperations } from './foreign-operations.ts'

/** What an upstream says of itself, for its document. */
export interface DocumentedUpstream extends Omit<Exposure, 'base'> {
  readonly name: string | undefined
  readonly access: Access
  readonly bodyMaxBytes: number
}

/** What a foreign document comes to: a policy that holds requests to it, and its part of the gateway's document. */
export interface OpenForeign {
  readonly policy: Policy
  readonly part: ForeignPart
}

/**
 * Reads the document of an upstream and makes it ready.
 * @throws TypeError when it cannot be read or used, with the place and the remedy
 */
export async function openForeign(
  { document: source, base, unknown }: Required<ForeignDocumentOptions>,
  upstream: DocumentedUpstream,
): Promise<OpenForeign> {
  const { pattern, name, access, bodyMaxBytes } = upstream
  const place = `upstream(${pattern}), ${source instanceof URL ? source.pathname.replace(/^.*\//, '') : 'its OpenAPI document'}`
  const document = readOperations(await readForeign(source), place)
  const operations = publicOperations(document, { ...upstream, base }, place)
  const policy = validationPolicy({ document, operations, unknown, bodyMaxBytes, place })
  const key = source instanceof URL ? source.href : source
  return { policy, part: { prefix: prefixOf(name ?? pattern), source: key, document, operations, access } }
}

/** `/legacy/*` -> `Legacy` */
function prefixOf(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter(Boolean)
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('') || 'Upstream'
}

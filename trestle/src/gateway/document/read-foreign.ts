import { readFile, stat } from 'node:fs/promises'
import type { ForeignSource } from './foreign-source.ts'
import type { Json } from './json.ts'

/** A document larger than this is refused. */
const documentMaxBytes = 20 * 1_024 * 1_024

/**
 * Reads a document: JSON, or YAML by its ending. Only from a file: what a gateway promises must not change, or be away,
 * because another server does.
 * @throws TypeError with the place and the remedy
 */
export async function readForeign(source: ForeignSource): Promise<Json> {
  // A copy: whoever gave it may go on changing it.
  if (!(source instanceof URL)) return structuredClone(source) as Json
  const place = source.protocol === 'file:' ? source.pathname : source.href
  if (source.protocol !== 'file:') {
    throw new TypeError(`${place}: an OpenAPI document is read from a file; save it beside the system and name that`)
  }
  try {
    const { size } = await stat(source)
    if (size > documentMaxBytes) throw new TypeError(`it has more than ${documentMaxBytes} bytes`)
    const text = await readFile(source, 'utf8')
    const read = /\.ya?ml$/i.test(source.pathname) ? (await import('yaml')).parse(text) : JSON.parse(text)
    if (typeof read !== 'object' || read === null || Array.isArray(read)) throw new TypeError('it is no object')
    return read as Json
  } catch (error) {
    throw new TypeError(`${place}: the OpenAPI document cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

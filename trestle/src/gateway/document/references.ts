import { isObject, type Json, mapObjects } from './json.ts'

const depthMax = 32

/** What a reference within the document means. @throws TypeError when it leads outside or nowhere */
export function resolve(document: Json, value: unknown, place: string): Json {
  let found = value
  for (let depth = 0; isObject(found) && typeof found['$ref'] === 'string'; depth += 1) {
    if (depth > depthMax) throw new TypeError(`${place}: references go round in a circle: ${found['$ref']}`)
    found = lookUp(document, found['$ref'], place)
  }
  return isObject(found) ? found : {}
}

function lookUp(document: Json, ref: string, place: string): unknown {
  if (!ref.startsWith('#/')) {
    throw new TypeError(
      `${place}: ${JSON.stringify(ref)} leads out of the document; bundle it into one file first (redocly bundle)`,
    )
  }
  let found: unknown = document
  for (const token of ref.slice(2).split('/')) {
    const name = decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~')
    found =
      isObject(found) && Object.hasOwn(found, name)
        ? found[name]
        : Array.isArray(found)
          ? found[Number(name)]
          : undefined
  }
  if (found === undefined) throw new TypeError(`${place}: there is nothing at ${JSON.stringify(ref)}`)
  return found
}

/**
 * A copy in which each reference leads to a component; what refers to another place (bundlers write such) is put in there.
 * @throws TypeError when a reference leads outside or nowhere, or such places refer to each other
 */
export function onlyComponents(document: Json, place: string): Json {
  const inlined =
    (depth: number) =>
    (object: Json): Json => {
      const ref = object['$ref']
      if (typeof ref !== 'string') return object
      const target = lookUp(document, ref, place)
      if (/^#\/components\/\w+\/[^/]+$/.test(ref)) return object
      if (depth > depthMax) throw new TypeError(`${place}: ${ref} refers to itself; move it to components`)
      return mapObjects(target, inlined(depth + 1)) as Json
    }
  return mapObjects(document, inlined(0)) as Json
}

import type { PathRewrite } from './path-rewrite.ts'
import type { Target } from './target.ts'

/**
 * Makes what turns an upstream's `Location` into one that leads through the gateway: an address of the target itself
 * loses its origin, and the prefix that was taken away on the way there comes back. Others stay as they are.
 * @example back('http://127.0.0.1:9001/login', target) // '/legacy/login', where '/legacy' was stripped
 */
export function openLocation(rewrite: PathRewrite): (location: string, target: Target) => string {
  return (location, { origin, basePath }) => {
    const own = location === origin || (location.startsWith(origin) && /^[/?#]/.test(location.slice(origin.length)))
    if (!own && !/^\/(?![/\\])/.test(location)) return location
    const path = own ? location.slice(origin.length) : location
    return restored(path.startsWith('/') ? path : `/${path}`, basePath, rewrite)
  }
}

function restored(path: string, basePath: string, rewrite: PathRewrite): string {
  const inner = without(basePath, path)
  if (inner === undefined || rewrite.kind !== 'prefix') return path
  const rest = without(rewrite.add, inner)
  return rest === undefined ? inner : rewrite.strip + rest
}

/** The rest after a prefix of whole segments; `undefined`: it does not begin so. */
function without(prefix: string, path: string): string | undefined {
  if (!path.startsWith(prefix)) return undefined
  const rest = path.slice(prefix.length)
  return rest === '' || /^[/?#]/.test(rest) ? rest : undefined
}

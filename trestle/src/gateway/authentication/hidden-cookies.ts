import { headersFrom } from '../../http/header-list.ts'
import type { Headers } from '../../http/message.ts'

/**
 * The value of the only cookie of a name. Two of one name are none: somebody who may set cookies for a neighbour's host
 * has put one beside the other.
 */
export function cookieOf(headers: Headers, name: string): string | undefined {
  const header = headers.has('cookie') ? headers.getAll('cookie').join(';') : ''
  if (!header.includes(`${name}=`)) return undefined
  const values = header.split(';').flatMap((pair) => {
    const [key = '', ...value] = pair.split('=')
    return key.trim() === name ? [value.join('=').trim()] : []
  })
  return values.length === 1 ? values[0] : undefined
}

/** Headers without the cookies of these names, and without the field when nothing is left of it. */
export function withoutCookies(headers: Headers, names: readonly string[]): Headers {
  if (!headers.has('cookie')) return headers
  const present = headers.getAll('cookie').join(';')
  if (!names.some((name) => present.includes(`${name}=`))) return headers
  const kept = [...headers.entries()].flatMap(([name, value]) => {
    if (name !== 'cookie') return [name, value]
    const others = value.split(';').filter((pair) => !names.includes((pair.split('=')[0] ?? '').trim()))
    return others.length === 0 ? [] : [name, others.map((pair) => pair.trim()).join('; ')]
  })
  return headersFrom(kept)
}

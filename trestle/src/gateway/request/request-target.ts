/** The parts of a request target. */
export interface RequestTarget {
  /** Of the absolute form; the engine has held it equal to `Host`. */
  readonly host: string | undefined
  /** Raw; `*` for the asterisk form. */
  readonly path: string
  /** Raw, without `?`. */
  readonly query: string
}

/** Splits origin form, absolute form and `*`. Source: RFC 9112, section 3.2. */
export function splitTarget(target: string): RequestTarget {
  const absolute = /^https?:\/\/([^/?#]*)/i.exec(target)
  const rest = absolute === null ? target : target.slice(absolute[0].length)
  const mark = rest.indexOf('?')
  const path = mark === -1 ? rest : rest.slice(0, mark)
  return {
    host: absolute?.[1],
    path: path === '' ? '/' : path,
    query: mark === -1 ? '' : rest.slice(mark + 1),
  }
}

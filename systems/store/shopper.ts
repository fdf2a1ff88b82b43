import type { Caller } from 'trestle/service'

/** The id of the user who asks; `undefined` when it is a service, a key or an operator: they have no cart. */
export function shopperOf({ kind, id }: Caller): string | undefined {
  return kind === 'user' ? id : undefined
}

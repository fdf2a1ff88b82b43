import type { Caller } from 'trestle/service'
import { z } from 'zod'

const userId = z.uuid()

/**
 * The id of the user who asks; `undefined` when it is a service, a key or an operator, who have no account and no cart, or
 * a user whom an operator made up.
 */
export function shopperOf({ kind, id }: Caller): string | undefined {
  return kind === 'user' && userId.safeParse(id).success ? id : undefined
}

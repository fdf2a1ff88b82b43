import type { Store } from 'trestle/store'
import type { Passwords } from './password.ts'
import type { AccountsTables } from './tables.ts'

const operatorScopes = ['catalogue:write']

export interface OperatorOptions {
  readonly hash: Passwords['hash']
  readonly newId: () => string
  readonly now: () => number
  readonly shopperScopes: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Opens the account of the person who runs the store, named by `STORE_OPERATOR_EMAIL` and `STORE_OPERATOR_PASSWORD`.
 * Does nothing when they are not set, and never changes an account that exists.
 * @throws RangeError when the password is shorter than 10 characters
 */
export async function ensureOperator(store: Store<AccountsTables>, options: OperatorOptions): Promise<void> {
  const { STORE_OPERATOR_EMAIL: email, STORE_OPERATOR_PASSWORD: password } = options.env ?? process.env
  if (email === undefined || password === undefined) return
  if (password.length < 10) throw new RangeError('STORE_OPERATOR_PASSWORD has fewer than 10 characters')
  const passwordHash = await options.hash(password)
  if (passwordHash === undefined) throw new Error('the operator account was not opened: too many passwords wait')
  await store.db
    .insertInto('users')
    .values({
      id: options.newId(),
      email: email.toLowerCase(),
      name: 'Operator',
      password_hash: passwordHash,
      scopes: [...options.shopperScopes, ...operatorScopes],
      created_at: new Date(options.now()),
    })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .execute()
}

import { access } from 'trestle/gateway'
import { type JobArgs, isCallError } from 'trestle/service'
import { billing } from '../billing/contract.ts'
import type { AccountsTables, ApplicationRow } from './tables.ts'

/** Whom accounts calls. */
export const uses = { access, billing }

type KeyWork = Pick<JobArgs<typeof uses, AccountsTables>, 'call' | 'store' | 'log'>

/** What keys of applications may do. */
const keyScopes = ['lookup']

/**
 * Makes the application's key, or a new secret of it; the one before stays valid for a day. The key belongs to the account
 * and is on the account's plan.
 */
export async function makeKey({ call, store }: KeyWork, row: ApplicationRow) {
  const { key, secret } =
    row.key_id === null ? await firstKey(call, row) : await call.access.rotateKey({ id: row.key_id })
  const changed = await store.db
    .updateTable('applications')
    .set({ key_id: key.id, key_prefix: key.prefix })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirst()
  return { application: applicationOf(changed ?? row), key: secret }
}

async function firstKey(call: KeyWork['call'], { name, account_id: owner }: ApplicationRow) {
  const made = await call.access.createKey({ name, owner, plan: 'free', scopes: keyScopes })
  // Whoever changes the plan meanwhile sees this key, or is seen here.
  await call.billing.settle({ account_id: owner })
  return made
}

/** As `makeKey`; an application without a key is better than none when keys cannot be made now. */
export async function keyOrNone(args: KeyWork, row: ApplicationRow) {
  try {
    return await makeKey(args, row)
  } catch (error) {
    if (!isCallError(error)) throw error
    args.log.warn({ err: error, application: row.id }, 'an application has no key yet')
    return { application: applicationOf(row), key: null }
  }
}

/** An application as its owner sees it. */
export function applicationOf({ id, name, key_prefix, created_at }: ApplicationRow) {
  return { id, name, key_prefix, created_at: created_at.toISOString() }
}

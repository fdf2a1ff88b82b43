import type { Kysely } from 'kysely'
import type { Store } from 'trestle/store'
import { giveBack } from './reservations.ts'
import type { InventoryTables } from './tables.ts'

const perRunMax = 10_000

/** Releases the reservations whose time has passed, each in a transaction of its own; answers how many it were. */
export async function releaseExpired(store: Store<InventoryTables>, now: number): Promise<number> {
  let released = 0
  while (released < perRunMax && (await store.transaction(({ db }) => releaseOne(db, now)))) released++
  return released
}

async function releaseOne(db: Kysely<InventoryTables>, now: number): Promise<boolean> {
  const expired = await db
    .selectFrom('reservations')
    .selectAll()
    .where('state', '=', 'held')
    .where('expires_at', '<=', new Date(now))
    .orderBy('expires_at')
    .limit(1)
    .forUpdate()
    // Another replica is at it already.
    .skipLocked()
    .executeTakeFirst()
  if (expired === undefined) return false
  await giveBack(db, expired, now)
  return true
}

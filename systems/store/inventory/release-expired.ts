import type { Kysely } from 'kysely'
import { giveBack } from './reservations.ts'
import type { InventoryTables } from './tables.ts'

/** Releases one reservation whose time has passed; `false`: there is none, or others are at it. */
export async function releaseOne(db: Kysely<InventoryTables>, now: number): Promise<boolean> {
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

import { access } from '../gateway/access/contract.ts'
import { implement } from '../service/implement.ts'
import { postgres } from '../store/postgres.ts'
import type { Tx } from '../store/store.ts'
import type { AccessTables } from './tables.ts'

/** The tools of the access service: its contract, its database. */
export const impl = implement(access, {
  store: postgres<AccessTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

export type AccessDb = Tx<AccessTables>['db']

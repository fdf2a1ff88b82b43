import { DBOS } from '@dbos-inc/dbos-sdk'
import { postgres, type StoreProvider, sql } from 'trestle/store'
import { openStore } from '../../trestle/src/store/open-store.ts'
import { type Contender, work } from './contender.ts'

interface Tables {
  readonly orders: { readonly id: string; readonly total: number; readonly status: string }
}

/** Workflows of DBOS Transact: five steps, of which the last confirms the order. */
export async function dbosWorkflows(provider: StoreProvider): Promise<Contender> {
  const connection = await provider.connectionFor('dbos')
  const { url, poolMax } = connection
  // Its orders are written by the same code as Trestle's.
  const store = openStore(postgres<Tables>({ migrations: new URL('./migrations/', import.meta.url) }), connection)
  await store.migrate()
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: url,
    systemDatabasePoolSize: poolMax,
    runAdminServer: false,
    logLevel: 'error',
  })
  const steps = ['hold', 'authorise', 'capture', 'ship']
  const checkout = DBOS.registerWorkflow(
    async (id: string) => {
      for (const name of steps) await DBOS.runStep(() => work(name, id), { name })
      await DBOS.runStep(
        async () => {
          await store.db.updateTable('orders').set({ status: 'confirmed' }).where('id', '=', id).execute()
        },
        { name: 'confirm' },
      )
    },
    { name: 'checkout' },
  )
  await DBOS.launch()
  return {
    name: 'DBOS Transact',
    async checkout(id) {
      await store.db.insertInto('orders').values({ id, total: 100, status: 'pending' }).execute()
      const handle = await DBOS.startWorkflow(checkout, { workflowID: id })(id)
      await handle.getResult()
    },
    async confirmed() {
      const { rows } = await sql<{ n: number }>`
        select count(*)::integer as n from orders where status = 'confirmed'`.execute(store.db)
      return rows[0]?.n ?? 0
    },
    async [Symbol.asyncDispose]() {
      await DBOS.shutdown()
      await store.close()
    },
  }
}

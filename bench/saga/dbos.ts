import { DBOS } from '@dbos-inc/dbos-sdk'
import { Pool } from 'pg'
import type { StoreProvider } from 'trestle/store'
import { type Contender, work } from './contender.ts'

/** Workflows of DBOS Transact: five steps, of which the last confirms the order. */
export async function dbosWorkflows(provider: StoreProvider): Promise<Contender> {
  const { url, poolMax } = await provider.connectionFor('dbos')
  const pool = new Pool({ connectionString: url, max: poolMax })
  await pool.query(
    'create table if not exists orders (id text primary key, total integer not null, status text not null)',
  )
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
      const sql = "update orders set status = 'confirmed' where id = $1"
      await DBOS.runStep(async () => void (await pool.query({ name: 'confirm', text: sql, values: [id] })), {
        name: 'confirm',
      })
    },
    { name: 'checkout' },
  )
  await DBOS.launch()
  return {
    name: 'DBOS Transact',
    async checkout(id) {
      const sql = "insert into orders (id, total, status) values ($1, $2, 'pending')"
      await pool.query({ name: 'place', text: sql, values: [id, 100] })
      const handle = await DBOS.startWorkflow(checkout, { workflowID: id })(id)
      await handle.getResult()
    },
    async confirmed() {
      const { rows } = await pool.query("select count(*)::integer as n from orders where status = 'confirmed'")
      return (rows[0] as { readonly n: number }).n
    },
    async [Symbol.asyncDispose]() {
      await DBOS.shutdown()
      await pool.end()
    },
  }
}

/**
 * A process for tests: owns the embedded server of a directory and writes rows. It says what it does in lines of JSON,
 * a row only after its commit, until it is killed or its standard input ends.
 */
import { pathToFileURL } from 'node:url'
import { openStore } from '../open-store.ts'
import { postgres } from '../postgres.ts'
import { embeddedPostgres } from './embedded-postgres.ts'

interface LedgerTables {
  ledger: { id: number }
}

const [dataDir = '', migrations = '', firstId = '1'] = process.argv.slice(2)
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)

const provider = await embeddedPostgres({ dataDir })
const store = openStore(
  postgres<LedgerTables>({ migrations: pathToFileURL(`${migrations}/`) }),
  await provider.connectionFor('ledger'),
)
await store.migrate()
say({ serverPid: provider.pid, uid: process.getuid?.(), adopted: provider.adopted })

const stop = new AbortController()
process.stdin.on('end', () => stop.abort())
process.stdin.resume()

for (let id = Number(firstId); !stop.signal.aborted; id += 1) {
  await store.transaction((tx) => tx.db.insertInto('ledger').values({ id }).execute())
  say({ committed: id })
}
await store.close()
await provider.close()

import { contextFor } from '../context.ts'
import type { AddCommand } from '../program.ts'
import { type ServiceStore, withServiceStores } from '../service-stores.ts'
import { openStore } from '../../store/index.ts'
import { textTable } from '../table.ts'

/** `trestle migrate [system]`: what a start does to the databases, without the start. */
export const migrateCommand: AddCommand = (program, io) => {
  program
    .command('migrate')
    .description('apply the migrations that have not run yet; a start does the same')
    .argument('[system]', 'system file or folder')
    .option('--json', 'print JSON')
    .action(async (argument: string | undefined, options: { readonly json?: true }) => {
      const results = await withServiceStores(io, contextFor(io, argument), async (stores) => {
        const done: { readonly service: string; readonly applied: readonly string[] }[] = []
        for (const store of stores) done.push({ service: store.service, applied: await migrate(store) })
        return done
      })
      if (options.json) return io.out(`${JSON.stringify(results, undefined, 2)}\n`)
      const rows = results.map(({ service, applied }) => [service, applied.join(', ') || 'nothing to do'])
      io.out(textTable([{ title: 'SERVICE' }, { title: 'APPLIED' }], rows))
    })
}

async function migrate({ spec, connection }: ServiceStore): Promise<readonly string[]> {
  const store = openStore(spec, await connection())
  try {
    const { applied } = await store.migrate()
    return applied
  } finally {
    await store.close()
  }
}

import { contextFor } from '../context.ts'
import type { AddCommand } from '../program.ts'
import { textTable } from '../table.ts'

/** `trestle migrate [system]`: what a start does to the databases, without the start. */
export const migrateCommand: AddCommand = (program, io) => {
  program
    .command('migrate')
    .description('apply the migrations that have not run yet; a start does the same')
    .argument('[system]', 'system file or folder')
    .option('--json', 'print JSON')
    .action(async (argument: string | undefined, options: { readonly json?: true }) => {
      const { migrateStores } = await import('../store-acts.ts')
      const results = await migrateStores(io, contextFor(io, argument))
      if (options.json) return io.out(`${JSON.stringify(results, undefined, 2)}\n`)
      const rows = results.map(({ service, applied }) => [service, applied.join(', ') || 'nothing to do'])
      io.out(textTable([{ title: 'SERVICE' }, { title: 'APPLIED' }], rows))
    })
}

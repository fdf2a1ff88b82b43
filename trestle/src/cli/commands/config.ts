import type { AddCommand } from '../program.ts'
import { contextFor } from '../context.ts'
import { settingsOf } from '../settings-of.ts'
import { type Setting, shown } from '../settings.ts'
import { textTable } from '../table.ts'

/** `trestle config`: the settings that hold, and where each came from. */
export const configCommand: AddCommand = (program, io) => {
  program
    .command('config')
    .description('show the settings that hold and where each comes from')
    .argument('[system]', 'system file or folder, or the file of a gateway')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nPasswords are masked. Settings are environment variables: docs/guide/running.md lists them.\n',
    )
    .action(async (system: string | undefined, options: { readonly json?: true }) => {
      const context = contextFor(io, system)
      const { found } = context
      const { gatewayPort, adminPort, dataDir, logLevel, postgresUrl, storeUrls } = await settingsOf(io, context)
      const fromSystem: Setting<string> = { name: 'system', value: found.file, from: found.origin }
      const all = [fromSystem, gatewayPort, adminPort, dataDir, logLevel, postgresUrl, ...storeUrls.values()].map(
        ({ name, value, from }) => ({ name, value: value === undefined ? null : shownValue(value), from }),
      )
      if (options.json) return io.out(`${JSON.stringify(all, undefined, 2)}\n`)
      const rows = all.map(({ name, value, from }) => [name, shown(value ?? undefined), from])
      io.out(textTable([{ title: 'SETTING' }, { title: 'VALUE' }, { title: 'FROM' }], rows))
    })
}

function shownValue(value: string | number): string | number {
  return typeof value === 'number' ? value : shown(value)
}

import { dirname } from 'node:path'
import { contextFor } from '../context.ts'
import type { CliIo } from '../io.ts'
import type { AddCommand } from '../program.ts'
import type { RunningSystem } from '../../system/index.ts'
import { watchFolder } from '../watch-folder.ts'

/** `trestle dev [system]`: in one process, new code on every change. */
export const devCommand: AddCommand = (program, io) => {
  program
    .command('dev')
    .description('run a system in one process and put every change of its code to work')
    .argument('[system]', 'system file or folder')
    .option('-t, --topology <name>', 'how to place the services (default: merged, where the system has it)')
    .addHelpText('after', devNotes)
    .action(async (argument: string | undefined, options: { readonly topology?: string }) => {
      const context = contextFor(io, argument)
      const { runSystem } = await import('../run-system.ts')
      await runSystem(io, context, {
        topology: options.topology,
        preferred: 'merged',
        supervised: true,
        whileRunning: (running, ending) =>
          watchFolder(dirname(context.found.file), (changed) => reload(io, running, changed, ending)),
      })
    })
}

const devNotes = `
Examples:
  trestle dev
  trestle dev systems/store

A changed .ts, .js, .json or .sql file of the system's folder is put to work when it has been saved: a new process starts
with the new code and takes over when it is ready, without a failed request. Code that does not start is reported, and
what ran before goes on.
`

async function reload(
  io: CliIo,
  running: RunningSystem,
  changed: readonly string[],
  ending: AbortSignal,
): Promise<void> {
  const startedAt = io.now()
  const what = changed.length > 3 ? `${changed.length} files` : changed.join(', ')
  try {
    await running.reload()
    io.out(`${io.colors.green('reloaded')} ${what} in ${((io.now() - startedAt) / 1000).toFixed(1)} s\n`)
  } catch (error) {
    if (ending.aborted) return
    const message = error instanceof Error ? error.message : String(error)
    io.err(`${io.colors.red('not reloaded')} ${what}: ${message}\n`)
  }
}

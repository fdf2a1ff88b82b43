import { CommanderError } from 'commander'
import { CliError, cliErrors } from './cli-error.ts'
import { Finished } from './finished.ts'
import { exitCodes, exitStatusOf } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { createProgram } from './program.ts'

/** Runs one command line. Answers the exit status; never rejects. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    const program = createProgram(io)
    if (args.length === 0) {
      program.outputHelp()
      return exitCodes.usage
    }
    await program.parseAsync([...args], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    return report(error, io)
  }
}

function report(error: unknown, io: CliIo): number {
  if (error instanceof Finished) return error.status
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  const code = codeOf(error)
  io.err(`${io.colors.red('error')}: ${error instanceof Error ? error.message : String(error)}\n`)
  if (error instanceof CliError && error.remedy !== undefined) io.err(`${error.remedy}\n`)
  if (code === undefined && error instanceof Error && error.stack !== undefined)
    io.err(`${io.colors.dim(error.stack)}\n`)
  return code === undefined ? exitCodes.failed : exitStatusOf(code, cliErrors)
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

import { createColors } from 'picocolors'

type Colors = ReturnType<typeof createColors>

/** What a command may touch of the process, handed in so that tests can hold it. */
export interface CliIo {
  /** Results: what a pipe wants. */
  readonly out: (text: string | Uint8Array) => void
  /** Everything that is said on the way. */
  readonly err: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Whether a person looks at `out`: colours and moving lines only then. */
  readonly terminal: boolean
  readonly colors: Colors
  readonly now: () => number
}

/** The process itself. `NO_COLOR` and `FORCE_COLOR` decide about colours where they are set. */
export function processIo(): CliIo {
  const { env } = process
  const terminal = process.stdout.isTTY && env['TERM'] !== 'dumb'
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env,
    cwd: process.cwd(),
    terminal,
    colors: createColors(wantsColors(env, terminal)),
    now: () => performance.now(),
  }
}

function wantsColors(env: CliIo['env'], terminal: boolean): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '') return env['FORCE_COLOR'] !== '0'
  return terminal
}

import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandPlace, CommandProcess } from './command-process.ts'
import { freePorts } from './free-ports.ts'

const shownMaxCharacters = 4_000

/** Where a command runs; every option has a default that fits most tests. */
export interface StartCommandOptions extends Partial<Omit<CommandPlace, 'logFile'>> {
  /** Default: a new directory, deleted at the end. */
  readonly dataDir?: string
  /** Default: a free port. */
  readonly gatewayPort?: number
}

/** A `trestle` command that serves. */
export interface RunningCommand extends AsyncDisposable, Pick<CommandProcess, 'url' | 'said' | 'trestle' | 'stop'> {
  readonly pid: number
  /** From its start until its gateway was ready, milliseconds. */
  readonly startMs: number
}

/**
 * Starts a `trestle` command as users do, in a process of its own, and waits until its gateway is ready.
 * @throws Error with what it said, when it ends before or is not ready within 120 s
 * @example await using store = await startCommand(['start', folder, '--topology', 'merged'])
 */
export async function startCommand(
  args: readonly string[],
  options: StartCommandOptions = {},
): Promise<RunningCommand> {
  await using opened = new AsyncDisposableStack()
  const { dataDir = await newDirectory(opened), gatewayPort = (await freePorts(1))[0] as number } = options
  const began = performance.now()
  const command = opened.use(new CommandProcess(args, { ...options, dataDir, gatewayPort }))
  const said = () => command.said().slice(-shownMaxCharacters)
  const ready = await command.ready().catch((cause: Error) => {
    throw new Error(`${cause.message}:\n${said()}`, { cause })
  })
  if (!ready) throw new Error(`trestle ${args.join(' ')} ${await command.ended} before it was ready:\n${said()}`)
  const all = opened.move()
  const stop = () => all.disposeAsync()
  return {
    url: command.url,
    pid: command.pid as number,
    startMs: performance.now() - began,
    said: () => command.said(),
    trestle: (...more) => command.trestle(...more),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function newDirectory(opened: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'trestle-command-'))
  opened.defer(() => rm(directory, { recursive: true, force: true }))
  // The database server runs as another user where we are root: where that one cannot pass, the data would lie elsewhere.
  await chmod(directory, 0o755)
  return directory
}

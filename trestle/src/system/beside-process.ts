import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../std/clock.ts'
import { createSupervisor, type RunningChild } from '../supervisor/index.ts'
import type { Log, LogLevel } from '../telemetry/index.ts'
import type { Beside } from './beside.ts'
import { endsWithParentVariable } from './ends-with-parent.ts'
import { exitOf } from './exit-of.ts'

const program = fileURLToPath(new URL('../../bin/trestle.js', import.meta.url))
/** How long it may take to end what it does, milliseconds. */
const shutdownMs = 15_000
/** What a start may say at most, characters. */
const saidMax = 65_536
/** Of this process, and not of the other: where its databases are, and what it was started for. */
const ownVariables =
  /^(?:TRESTLE_(?:POSTGRES|STORE_.+)_URL|TRESTLE_(?:GATEWAY_PORT|GATEWAY_URL|ADMIN_PORT|DATA_DIR)|npm_.*)$/

/** Another system that is to run. */
export interface BesideRequest {
  readonly name: string
  readonly beside: Beside
  /** Where its gateway is to listen, on 127.0.0.1. */
  readonly port: number
  /** Its own. */
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly logLevel: LogLevel
  readonly log: Log
  readonly signal: AbortSignal
}

/** Another system that runs. */
export interface StartedBeside {
  readonly pids: () => readonly number[]
  close(): Promise<void>
}

/** Runs another system with the same program, in a process of its own, and starts it again when it dies. */
export async function startBesideProcess(request: BesideRequest): Promise<StartedBeside> {
  const { name, beside, log, signal } = request
  const supervisor = createSupervisor({
    clock: systemClock,
    random: Math.random,
    onEvent: (event) => {
      if (event.kind === 'exited' || event.kind === 'gave_up')
        log.error({ beside: name, reason: event.reason }, event.kind)
    },
  })
  const topology = beside.topology === undefined ? [] : ['--topology', beside.topology]
  const args = [program, 'start', fileURLToPath(beside.system), ...topology, '--json']
  const env = environmentFor(request)
  const start = (ending: AbortSignal) => startProcess(args, env, AbortSignal.any([ending, signal]))
  await supervisor.add({ id: name, restart: 'permanent', shutdownMs, start })
  return { pids: () => supervisor.statuses().flatMap(({ pid }) => pid ?? []), close: () => supervisor.stopAll() }
}

function environmentFor({ env, dataDir, port, logLevel }: BesideRequest): Record<string, string | undefined> {
  return {
    ...Object.fromEntries(
      Object.entries({ ...process.env, ...env }).filter(([variable]) => !ownVariables.test(variable)),
    ),
    TRESTLE_DATA_DIR: dataDir,
    TRESTLE_GATEWAY_PORT: String(port),
    TRESTLE_ADMIN_PORT: '0',
    TRESTLE_LOG_LEVEL: logLevel,
    [endsWithParentVariable]: '1',
  }
}

/** Resolves when it has said where it runs. */
async function startProcess(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<RunningChild> {
  signal.throwIfAborted()
  // Its log goes where ours goes; what it says at its start is for us.
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let killed: string | undefined
  const exited = exitOf(child, () => killed)
  const stop = () => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  try {
    await Promise.race([
      saidItRuns(child.stdout),
      exited.then(({ reason }) => {
        throw new Error(`it ${reason} before it was ready; its log says why`)
      }),
    ])
  } finally {
    signal.removeEventListener('abort', stop)
  }
  return {
    ...(child.pid === undefined ? {} : { pid: child.pid }),
    exited,
    stop,
    kill(reason) {
      killed = reason
      child.kill('SIGKILL')
    },
  }
}

/** With `--json` a start says one object, when everything runs. */
function saidItRuns(output: NodeJS.ReadableStream): Promise<void> {
  let said = ''
  return new Promise((resolve) => {
    output.setEncoding('utf8')
    output.on('data', (text: string) => {
      if (said.length < saidMax) said += text
      if (said.includes('"gatewayUrl"')) resolve()
    })
  })
}

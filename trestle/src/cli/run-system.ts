import { pathToFileURL } from 'node:url'
import { startAdmin } from '../admin/index.ts'
import { startSystem, type RunningSystem } from '../system/index.ts'
import type { System } from '../system/system.ts'
import { CliError } from './cli-error.ts'
import type { CommandContext } from './context.ts'
import { isGatewayFile } from './find-system.ts'
import type { CliIo } from './io.ts'
import { keepRunning } from './keep-running.ts'
import { startProgress } from './progress.ts'
import { refuseSecondStart } from './running-system.ts'
import { startTable } from './start-table.ts'
import { systemOf } from './system-contracts.ts'
import { tryLine } from './try-line.ts'

export interface RunOptions {
  /** The topology that is asked for; default `preferred` where the system has it, else its first. */
  readonly topology?: string | undefined
  readonly preferred: string
  /** Replaceable while it runs; see `StartOptions`. */
  readonly supervised?: true
  readonly json?: boolean
  /** What goes on while it runs; disposed of before the system is stopped. `ending` aborts then. */
  readonly whileRunning?: (running: RunningSystem, ending: AbortSignal) => Disposable
}

/**
 * Starts a system, says where everything is, and keeps it until a signal ends it; a second signal ends it at once.
 * @throws StartError; CliError `topology_unknown`
 */
export async function runSystem(io: CliIo, context: CommandContext, options: RunOptions): Promise<void> {
  const { file } = context.found
  if (isGatewayFile(file)) {
    throw new CliError('usage', `${file} describes a gateway alone, and no system`, {
      remedy: `Run it with: trestle gateway ${file}`,
    })
  }
  const system = await systemOf(file)
  const topology = chooseTopology(system, options)
  await refuseSecondStart(context.settings.dataDir.value)
  await keepRunning(io, {
    name: system.name,
    quiet: options.json === true,
    start: (signal) => start(io, context, topology, options, signal),
    whileRunning: options.whileRunning,
    async announce(running, tookMs) {
      const what = await running.describe()
      if (options.json) return io.out(`${JSON.stringify(what, undefined, 2)}\n`)
      io.out(startTable(what, await tryLine(system, running.gatewayUrl), tookMs, io))
    },
  })
}

async function start(
  io: CliIo,
  { found, settings }: CommandContext,
  topology: string,
  options: RunOptions,
  signal: AbortSignal,
): Promise<RunningSystem> {
  const progress = startProgress(io)
  progress.step('starting')
  try {
    return await startSystem({
      systemUrl: pathToFileURL(found.file),
      topology,
      supervised: options.supervised === true,
      dataDir: settings.dataDir.value,
      gatewayPort: settings.gatewayPort.value,
      adminPort: settings.adminPort.value,
      logLevel: settings.logLevel.value,
      env: io.env,
      admin: startAdmin,
      progress: (service, message) => progress.step(`${service}: ${message}`),
      signal,
    })
  } finally {
    progress.stop()
  }
}

function chooseTopology(system: System, { topology, preferred }: RunOptions): string {
  const names = Object.keys(system.topologies)
  if (topology !== undefined && !names.includes(topology)) {
    throw new CliError('topology_unknown', `${system.name} has no topology ${topology}`, {
      remedy: `Topologies: ${names.join(', ')}`,
    })
  }
  return topology ?? (names.includes(preferred) ? preferred : (names[0] ?? preferred))
}

import { type AdminConnection, connectAdmin } from '../admin/index.ts'
import type { Operator } from '../call/operator.ts'
import { StartError } from '../system/index.ts'
import { CliError } from './cli-error.ts'
import { contextFor, type CommandContext } from './context.ts'
import { dataDirOf } from './data-dir-of.ts'
import type { CliIo } from './io.ts'

/** A system that runs, as its operator sees it over the admin listener. */
export interface RunningSystem {
  readonly operator: Operator
  /** The gateway's keys, plans and usage. */
  readonly access: AdminConnection['access']
  /** Events, sagas and jobs of each service. */
  readonly operated: AdminConnection['operated']
  readonly context: CommandContext
}

/**
 * Connects to the running system that a command is about, lets `use` work with it, and disconnects.
 * @throws CliError `not_running`
 */
export async function withRunningSystem<T>(
  io: CliIo,
  system: string | undefined,
  use: (running: RunningSystem) => Promise<T>,
): Promise<T> {
  const context = contextFor(io, system)
  const dataDir = await dataDirOf(io, context)
  const admin = await connectAdmin({ dataDir })
  if (admin === undefined) {
    throw new CliError('not_running', `no system runs with the data directory ${dataDir}`, {
      remedy:
        'Start it with: trestle start. Where its data lies elsewhere, set TRESTLE_DATA_DIR as it was at its start.',
    })
  }
  try {
    return await use({ operator: admin.operator, access: admin.access, operated: admin.operated, context })
  } finally {
    await admin.close()
  }
}

/** @throws StartError `already_running` with the addresses of the one that runs */
export async function refuseSecondStart(dataDir: string): Promise<void> {
  const admin = await connectAdmin({ dataDir })
  if (admin === undefined) return
  const { system, pid, gatewayUrl } = await admin.operator.status().finally(() => admin.close())
  const where = `gateway ${gatewayUrl ?? 'down'}, admin ${admin.url}, pid ${pid}, data in ${dataDir}`
  throw new StartError('already_running', `${system} runs already: ${where}`)
}

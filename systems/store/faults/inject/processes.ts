import { setTimeout as sleep } from 'node:timers/promises'
import type { SeededDraws } from 'trestle/testing'
import { type Fault, until } from '../fault.ts'
import type { RunningSystem } from '../running-system.ts'
import type { Stage } from '../stage.ts'

/** Those that work on orders together; the others are on the way. */
const busy = ['orders', 'inventory', 'carts', 'gateway'] as const

/** One process of a service of the store; all services are one when it is merged. */
async function victim({ store }: Stage, services: readonly string[], draws: SeededDraws): Promise<number> {
  let found: readonly { readonly service: string; readonly pid: number }[] = []
  await until('a process', async () => {
    found = (await store.processes().catch(() => [])).filter(({ service }) => services.includes(service))
    return found.length > 0
  })
  return draws.pick(found).pid
}

function killOf(service: string): Fault {
  return {
    name: `kill -9 ${service}`,
    of: [1, 2, 11, 15],
    only: 'split',
    async inject(stage, draws) {
      process.kill(await victim(stage, [service], draws), 'SIGKILL')
      return 1
    },
  }
}

/** SIGKILL of each service, and of all at once. */
export const kills: readonly Fault[] = [
  ...busy.map(killOf),
  {
    name: 'kill -9 everything of the store',
    of: [1, 2, 11, 15],
    async inject({ store }) {
      await store.kill()
      await store.ensure()
      return 1
    },
  },
]

/** SIGSTOP, and SIGCONT later: whoever wakes up does not know how long it slept. */
export const halts: readonly Fault[] = [
  {
    name: 'SIGSTOP and SIGCONT of orders',
    of: [5],
    async inject(stage, draws) {
      const pid = await victim(stage, ['orders'], draws)
      process.kill(pid, 'SIGSTOP')
      await sleep(3_000)
      goOn(pid)
      return 1
    },
  },
]

/** Lets a process go on that may be gone. */
export function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // Killed while it slept: its supervisor took it for dead.
  }
}

/** As an operator restarts. */
export const restarts: readonly Fault[] = [
  {
    name: 'restart of orders',
    of: [],
    only: 'split',
    async inject({ store }) {
      await store.operator.act('restart', 'orders')
      return 1
    },
  },
  {
    name: 'restart of the store',
    of: [],
    only: 'merged',
    async inject({ store }) {
      await store.stop()
      await store.ensure()
      return 1
    },
  },
]

/** PostgreSQL ends in the middle of everything, once or again while it recovers. */
export const databaseFaults: readonly Fault[] = [
  {
    name: 'kill -9 PostgreSQL of the store',
    of: [4],
    inject: async ({ store }) => endDatabase(store, 'SIGKILL', 1),
  },
  {
    name: 'fast restart of PostgreSQL of the store',
    of: [4],
    inject: async ({ store }) => endDatabase(store, 'SIGINT', 1),
  },
  {
    name: 'kill -9 PostgreSQL, and again while it recovers',
    of: [18],
    inject: async ({ store }) => endDatabase(store, 'SIGKILL', 2),
  },
]

/** Ends the database server of a system so often, and waits each time until another one is coming. */
export async function endDatabase(system: RunningSystem, signal: NodeJS.Signals, times: number): Promise<number> {
  for (let time = 0; time < times; time += 1) {
    let pid: number | undefined
    await until('a database server to end', () => (pid = system.postmaster()) !== undefined)
    process.kill(pid as number, signal)
    await until('the database server', () => ![pid, undefined].includes(system.postmaster()))
  }
  return times
}

import type { FaultControl } from 'trestle/testing'
import { goOn } from './inject/processes.ts'
import { NotStarting, type RunningSystem } from './running-system.ts'

const lookEveryMs = 150
const haltedMs = 3_000

/**
 * Does what an operator would: starts a system again that has ended, and a service that its supervisor has given up; lets
 * processes go on that a crash point has halted.
 */
export function takeCare(systems: readonly RunningSystem[], controls: readonly FaultControl[]) {
  const over = new AbortController()
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => {})
  const givenUp: string[] = []
  const woken = new Set<string>()
  const system = async (one: RunningSystem) => {
    if (one.wanted && !one.runs) await one.ensure()
    if (!one.wanted || one.settings.topology === 'merged') return
    for (const service of await one.operator.givenUp()) {
      givenUp.push(`${one.settings.name} ${service}`)
      await one.operator.act('start', service)
    }
  }
  const halted = () => {
    for (const { id, act, pid, at } of controls.flatMap((control) => control.fired())) {
      if (act !== 'halt' || woken.has(`${id} ${pid}`) || Date.now() - at < haltedMs) continue
      woken.add(`${id} ${pid}`)
      goOn(pid)
    }
  }
  const work = (async () => {
    while (!over.signal.aborted) {
      halted()
      await Promise.all(
        systems.map((one) =>
          system(one).catch((error: unknown) => {
            // A system that is being restarted has no answer; it is looked at again. One that does not start ends the run.
            if (error instanceof NotStarting) broken.reject(error)
          }),
        ),
      )
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
    }
  })()
  return {
    givenUp: () => givenUp,
    /** Rejects when a system does not start any more. */
    broken: broken.promise,
    async stop() {
      over.abort()
      await work
    },
  }
}

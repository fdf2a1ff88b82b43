import { askRunning, type Outcome } from './ask-running.ts'
import type { CliIo } from './io.ts'
import type { RunningSystem } from './running-system.ts'

/** What one service answered. */
export interface OfService<T> {
  readonly service: string
  readonly value: T
}

/**
 * Asks each service of the running system that has a store, or the one that is named. Where all are asked, those
 * without a store, and those that are down, are left out.
 */
export function askServices<T>(
  io: CliIo,
  { system, service }: { readonly system?: string; readonly service?: string },
  ask: (operated: RunningSystem['operated'], service: string) => Promise<Outcome<T>>,
): Promise<readonly OfService<T>[]> {
  return askRunning(io, system, async ({ operator, operated }) => {
    const names = service === undefined ? (await operator.status()).services.map((each) => each.service) : [service]
    const value: OfService<T>[] = []
    for (const name of names) {
      const outcome = await ask(operated, name)
      if (outcome.ok) value.push({ service: name, value: outcome.value })
      else if (service !== undefined) return outcome
      else sayUnlessUnknown(io, name, outcome.error.problem)
    }
    return { ok: true, value }
  })
}

function sayUnlessUnknown(
  io: CliIo,
  service: string,
  { code, title }: { readonly code: string; readonly title: string },
) {
  if (code !== 'unknown_service') io.err(`${service}: ${io.colors.red(code)}: ${title}\n`)
}

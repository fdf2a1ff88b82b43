import type { Affected, Operator } from '../call/operator.ts'
import type { CliIo } from './io.ts'
import type { SystemOption } from './options.ts'
import { startProgress } from './progress.ts'

export interface OperateOptions extends SystemOption {
  readonly json?: true
}

/** One act on one service of the running system. */
export interface Act {
  readonly service: string
  /** While it is being done: `deploying orders`. */
  readonly doing: string
  /** When it is done: `orders has been deployed`. */
  readonly done: string
  readonly run: (operator: Operator) => Promise<Affected>
}

/** Does the acts one after the other, says how it goes, and stops at the first that fails. */
export async function operate(io: CliIo, options: OperateOptions, acts: readonly Act[]): Promise<void> {
  const { withRunningSystem } = await import('./running-system.ts')
  await withRunningSystem(io, options.system, async ({ operator }) => {
    for (const act of acts) await perform(io, options, operator, act)
    if (!options.json) return
    const touched = new Set(acts.map(({ service }) => service))
    const { services } = await operator.status()
    io.out(
      `${JSON.stringify(
        services.filter(({ service }) => touched.has(service)),
        undefined,
        2,
      )}\n`,
    )
  })
}

async function perform(io: CliIo, options: OperateOptions, operator: Operator, act: Act): Promise<void> {
  const progress = startProgress(io)
  progress.step(act.doing)
  const affected = await act.run(operator).finally(() => progress.stop())
  if (!options.json) io.out(`${act.done}${together(act.service, affected)}\n`)
}

/** A group of services moves as one: whoever names one of them is told about the others. */
function together(service: string, { services }: Affected): string {
  const others = services.filter((one) => one !== service)
  return others.length === 0 ? '' : `, with ${others.join(', ')}: they share their processes`
}

/** The same for each service: `doing` goes before its name, `done` after it. */
export function operateEach(
  io: CliIo,
  options: OperateOptions,
  services: readonly string[],
  act: {
    readonly doing: string
    readonly done: string
    readonly run: (operator: Operator, service: string) => Promise<Affected>
  },
): Promise<void> {
  const acts = services.map((service) => ({
    service,
    doing: `${act.doing} ${service}`,
    done: `${service} ${act.done}`,
    run: (operator: Operator) => act.run(operator, service),
  }))
  return operate(io, options, acts)
}

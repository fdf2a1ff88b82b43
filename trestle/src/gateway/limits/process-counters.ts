import type { Clock } from '../../std/clock.ts'
import type { Demand, Taken } from './counters.ts'
import { isTooMuch } from './gcra.ts'

/** How many cells are looked at when one is added: more than one, so that those that mean nothing go sooner than new ones come. */
const sweptPerInsert = 2
/** How many are looked at for one to forget when all are in use. */
const sampledAtBound = 16

/** When the time that a counter has taken will be over, in monotonic milliseconds. */
interface Cell {
  untilMs: number
}

/**
 * The counters of one limit, at most `max` of them. A cell without debt is as good as none and is removed as others come.
 * When all have debt, the one with the least of a sample makes room: to have a counter forgotten, somebody must
 * bring as many others into deeper debt, and so spend more than is forgotten.
 */
export class CellTable {
  readonly clock: Clock
  readonly #max: number
  readonly #cells = new Map<string, Cell>()
  #sweep = this.#cells.entries()

  constructor(clock: Clock, max: number) {
    this.clock = clock
    this.#max = max
  }

  get size(): number {
    return this.#cells.size
  }

  get(key: string): Cell | undefined {
    return this.#cells.get(key)
  }

  add(key: string, untilMs: number, nowMs: number): void {
    if (this.#cells.size >= this.#max) this.#makeRoom(nowMs)
    else this.#forgetIdle(nowMs)
    this.#cells.set(key, { untilMs })
  }

  #forgetIdle(nowMs: number): void {
    for (let seen = 0; seen < sweptPerInsert; seen += 1) {
      const entry = this.#next()
      if (entry === undefined) return
      if (entry[1].untilMs <= nowMs) this.#cells.delete(entry[0])
    }
  }

  #makeRoom(nowMs: number): void {
    let least: readonly [string, Cell] | undefined
    for (let seen = 0; seen < sampledAtBound; seen += 1) {
      const entry = this.#next()
      if (entry === undefined) break
      if (least === undefined || entry[1].untilMs < least[1].untilMs) least = entry
      if (least[1].untilMs <= nowMs) break
    }
    if (least !== undefined) this.#cells.delete(least[0])
  }

  /** Round and round; what is added on the way is seen too. */
  #next(): [string, Cell] | undefined {
    const next = this.#sweep.next()
    if (next.done !== true) return next.value
    this.#sweep = this.#cells.entries()
    return this.#sweep.next().value
  }
}

/** Counts in this process: each gateway process by itself. */
export const processCounters: { take(demands: readonly Demand[]): Taken } = {
  take(demands) {
    const first = demands[0]
    return demands.length === 1 && first !== undefined ? takeOne(first) : takeAll(demands)
  },
}

function takeOne({ limit: { cells, law }, key, cost }: Demand): Taken {
  const nowMs = cells.clock.monotonic()
  const cell = cells.get(key)
  const debtMs = cell === undefined || cell.untilMs <= nowMs ? 0 : cell.untilMs - nowMs
  const nextMs = debtMs + cost * law.emissionMs
  if (isTooMuch(law, nextMs)) return { allowed: false, debtsMs: [debtMs] }
  if (cell === undefined) cells.add(key, nowMs + nextMs, nowMs)
  else cell.untilMs = nowMs + nextMs
  return { allowed: true, debtsMs: [nextMs] }
}

/** Looks at all before it changes any; nothing else runs in between. */
function takeAll(demands: readonly Demand[]): Taken {
  const debtsMs = demands.map(({ limit: { cells }, key }) => {
    const cell = cells.get(key)
    return cell === undefined ? 0 : Math.max(0, cell.untilMs - cells.clock.monotonic())
  })
  const refused = demands.some(({ limit: { law }, cost }, at) =>
    isTooMuch(law, (debtsMs[at] as number) + cost * law.emissionMs),
  )
  return refused ? { allowed: false, debtsMs } : { allowed: true, debtsMs: demands.map((one) => charged(one)) }
}

function charged(demand: Demand): number {
  return takeOne(demand).debtsMs[0] as number
}

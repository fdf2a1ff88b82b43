import { type Clock, systemClock } from '../../std/clock.ts'
import { type AskOptions, askUntilKnown, type Attempt, type Question } from './ask-until-known.ts'
import type { OperationLog } from './operation-log.ts'
import { type SeededDraws, seededDraws } from './seeded-draws.ts'

/** What somebody who arrives does. */
export interface LoadOperation {
  readonly name: string
  /** How often, compared with the others. */
  readonly weight: number
  readonly run: (visit: Visit) => Promise<void>
}

/** One arrival. */
export interface Visit {
  /** Counts from 0. */
  readonly number: number
  /** Depend on the seed and the number alone, not on what others do or how fast they are. */
  readonly draws: SeededDraws
  /** Does something once, however often it must be asked for, and writes it down. */
  readonly ask: <T>(question: Question<T>) => Promise<Attempt<T>>
  /** Resolves after `ms`. */
  readonly pause: (ms: number) => Promise<void>
}

/** A load: who comes how often, and what they do. */
export interface LoadOptions extends Pick<AskOptions, 'tryTimeoutMs' | 'giveUpAfterMs' | 'signal'> {
  readonly seed: number
  readonly arrivalsPerSecond: number
  /** How long visitors come, milliseconds. */
  readonly durationMs: number
  /** Nobody comes any more once this has resolved. */
  readonly until?: Promise<void>
  readonly operations: readonly LoadOperation[]
  readonly log: OperationLog
  /** Visits at once; who comes then is turned away, and counted. Default 500. */
  readonly inFlightMax?: number
  readonly clock?: Clock
}

/** What a load was. */
export interface LoadReport {
  readonly arrivals: number
  /** Came while too many were there. */
  readonly turnedAway: number
  /** Visits that threw, with the first few reasons: a fault of the load, not of the system. */
  readonly broken: number
  readonly reasons: readonly string[]
  /** By name of the operation that an arrival chose. */
  readonly chosen: Readonly<Record<string, number>>
}

const reasonsMax = 5

/**
 * Lets visitors arrive at a fixed rate, whether or not those before them are done (open loop), and resolves when the last
 * one has left. The same seed gives the same visitors.
 * @example
 * const log = operationLog(file)
 * await runLoad({ seed: 1, arrivalsPerSecond: 20, durationMs: 30_000, operations: [{ name: 'buy', weight: 1, run }], log })
 */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { seed, arrivalsPerSecond, durationMs, inFlightMax = 500, clock = systemClock } = options
  const choose = chooser(options.operations)
  const root = seededDraws(seed)
  const visits = new Set<Promise<void>>()
  const chosen: Record<string, number> = {}
  const reasons: string[] = []
  let turnedAway = 0
  let broken = 0
  let arrivals = 0
  let over = false
  void options.until?.then(() => {
    over = true
    return undefined
  })
  const ended = () => over || (options.signal?.aborted ?? false)
  const began = clock.monotonic()
  const due = (number: number) => began + (number * 1_000) / arrivalsPerSecond
  for (; due(arrivals) < began + durationMs && !ended(); arrivals += 1) {
    const waitMs = due(arrivals) - clock.monotonic()
    if (waitMs > 0) await pause(clock, waitMs)
    const operation = choose(root.fork(`choice ${arrivals}`))
    chosen[operation.name] = (chosen[operation.name] ?? 0) + 1
    if (visits.size >= inFlightMax) {
      turnedAway += 1
      continue
    }
    const visit = visitOf(arrivals, operation, root, options, clock)
    const left = attend(operation, visit).catch((error: unknown) => {
      broken += 1
      if (reasons.length < reasonsMax) reasons.push(`${operation.name}: ${String(error)}`)
    })
    visits.add(left)
    void left.then(() => visits.delete(left))
  }
  await Promise.all(visits)
  return { arrivals, turnedAway, broken, reasons, chosen }
}

async function attend(operation: LoadOperation, visit: Visit): Promise<void> {
  await operation.run(visit)
}

function visitOf(
  number: number,
  operation: LoadOperation,
  root: SeededDraws,
  options: LoadOptions,
  clock: Clock,
): Visit {
  const draws = root.fork(`visit ${number}`)
  let asked = 0
  return {
    number,
    draws,
    ask: (question) =>
      askUntilKnown(`${number}.${operation.name}.${asked++}`, question, {
        clock,
        log: options.log,
        draws: root.fork(`retries ${number}`),
        ...(options.tryTimeoutMs === undefined ? {} : { tryTimeoutMs: options.tryTimeoutMs }),
        ...(options.giveUpAfterMs === undefined ? {} : { giveUpAfterMs: options.giveUpAfterMs }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }),
    pause: (ms) => pause(clock, ms),
  }
}

function chooser(operations: readonly LoadOperation[]): (draws: SeededDraws) => LoadOperation {
  const total = operations.reduce((sum, { weight }) => sum + weight, 0)
  if (!(total > 0)) throw new RangeError('a load needs an operation with a weight')
  return (draws) => {
    let at = draws.fraction() * total
    for (const operation of operations) {
      at -= operation.weight
      if (at < 0) return operation
    }
    return operations.at(-1) as LoadOperation
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, ms))
}

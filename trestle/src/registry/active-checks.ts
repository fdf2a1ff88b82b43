import type { Clock, Timer } from '../std/clock.ts'
import type { Cluster } from './cluster.ts'

export interface ActiveChecksOptions<T> {
  /** Why the target is not well; `undefined`: it is. A rejection, or no answer in time, says that it is not. */
  readonly probe: (target: T, signal: AbortSignal) => Promise<string | undefined>
  /** Time from one check of a member to its next; a tenth more or less at random. Default 5,000. */
  readonly intervalMs?: number
  /** Default 2,000. */
  readonly timeoutMs?: number
  /** Checks in a row that bring a member back. Default 2. */
  readonly healthyAfter?: number
  /** Checks in a row that take a member out. Default 3. */
  readonly unhealthyAfter?: number
  readonly clock: Clock
  /** 0 <= random() < 1 */
  readonly random: () => number
}

/** One whose members are checked. */
export interface Checked<T> {
  readonly id: string
  readonly target: T
}

export interface ActiveChecks<T> {
  /** Who is checked from now on; those who were checked before go on in their rhythm. */
  replace(members: readonly Checked<T>[]): void
  /** Ends all checks; what runs is aborted. */
  close(): void
}

/**
 * Asks each member of a cluster again and again whether it is well, and tells the cluster when that changes.
 * @example const checks = activeChecks(cluster, { probe: (target, signal) => faultOf(target, signal), clock, random })
 *   checks.replace(members)
 */
export function activeChecks<T>(
  cluster: Pick<Cluster<T>, 'checked'>,
  options: ActiveChecksOptions<T>,
): ActiveChecks<T> {
  const running = new Map<string, MemberCheck<T>>()
  return {
    replace(members) {
      const ids = new Set(members.map((member) => member.id))
      for (const [id, check] of running) {
        if (ids.has(id)) continue
        check.close()
        running.delete(id)
      }
      for (const member of members) {
        const known = running.get(member.id)
        if (known === undefined) running.set(member.id, new MemberCheck(cluster, member, options))
        else known.target = member.target
      }
    },
    close() {
      for (const check of running.values()) check.close()
      running.clear()
    },
  }
}

class MemberCheck<T> {
  target: T
  readonly #id: string
  readonly #cluster: Pick<Cluster<T>, 'checked'>
  readonly #options: ActiveChecksOptions<T>
  #timer: Timer
  #running: AbortController | undefined
  #isHealthy = true
  /** Checks in a row that said the opposite of `#isHealthy`. */
  #against = 0
  #closed = false

  constructor(cluster: Pick<Cluster<T>, 'checked'>, member: Checked<T>, options: ActiveChecksOptions<T>) {
    this.target = member.target
    this.#id = member.id
    this.#cluster = cluster
    this.#options = options
    // At once: who is down at the start should be known soon. Later checks spread by themselves.
    this.#timer = this.#after(0)
  }

  close(): void {
    this.#closed = true
    this.#timer.cancel()
    this.#running?.abort()
  }

  #after(ms: number): Timer {
    return this.#options.clock.setTimeout(() => void this.#check(), ms)
  }

  async #check(): Promise<void> {
    const { intervalMs = 5_000, random } = this.#options
    const reason = await this.#ask()
    if (this.#closed) return
    this.#learn(reason)
    this.#timer = this.#after(intervalMs * (0.9 + 0.2 * random()))
  }

  /** Why it is not well; `undefined`: it is. */
  #ask(): Promise<string | undefined> {
    const { probe, timeoutMs = 2_000, clock } = this.#options
    const controller = new AbortController()
    this.#running = controller
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => {
        resolve(`no answer to the active check within ${timeoutMs} ms`)
        controller.abort()
      }, timeoutMs)
      const answer = (reason: string | undefined) => {
        timer.cancel()
        resolve(reason)
      }
      controller.signal.addEventListener('abort', () => answer(undefined))
      asked(probe, this.target, controller.signal).then(answer, (error: unknown) =>
        answer(error instanceof Error ? error.message : String(error)),
      )
    })
  }

  #learn(reason: string | undefined): void {
    const { healthyAfter = 2, unhealthyAfter = 3 } = this.#options
    const isHealthy = reason === undefined
    this.#against = isHealthy === this.#isHealthy ? 0 : this.#against + 1
    if (this.#against < (isHealthy ? healthyAfter : unhealthyAfter)) return
    this.#isHealthy = isHealthy
    this.#against = 0
    this.#cluster.checked(this.#id, isHealthy, reason)
  }
}

/** Also a probe that throws before it waits is a rejection. */
async function asked<T>(
  probe: ActiveChecksOptions<T>['probe'],
  target: T,
  signal: AbortSignal,
): Promise<string | undefined> {
  return probe(target, signal)
}

import type { ClusterMember } from './cluster-member.ts'
import type { EjectionOptions } from './cluster-options.ts'
import type { OutcomeWindow } from './outcome-window.ts'

const defaults: Required<EjectionOptions> = {
  consecutiveFailures: 5,
  failureRatioAbove: 0.3,
  volumeMin: 20,
  baseMs: 2_000,
  maxMs: 120_000,
  unreachableBaseMs: 200,
  unreachableMaxMs: 5_000,
  forgetMs: 60_000,
  probationSuccesses: 10,
}

export interface Verdict {
  readonly reason: string
  readonly forMs: number
  /** Successes that bring it back in full. */
  readonly probation: number
}

/**
 * Decides which member is left alone because of how its requests end, and for how long: longer each time. Where all fail
 * alike nobody is: what they have in common is at fault, which is the breaker's matter.
 * Source: the outlier detection of Envoy, with comparison to the others so that it works from two members up.
 */
export class Ejection {
  readonly #options: Required<EjectionOptions>
  readonly #random: () => number

  constructor(options: EjectionOptions, random: () => number) {
    this.#options = { ...defaults, ...options }
    this.#random = random
  }

  /** @param all what is known of all members together */
  judge(
    member: ClusterMember<unknown>,
    isUnreachable: boolean,
    all: OutcomeWindow,
    nowMs: number,
  ): Verdict | undefined {
    if (isUnreachable) {
      const { unreachableBaseMs, unreachableMaxMs } = this.#options
      const forMs = this.#longer(member, unreachableBaseMs, unreachableMaxMs, nowMs)
      // Whether it can be reached was all that was in doubt: one success says so.
      return { reason: 'could not be reached', forMs, probation: 1 }
    }
    const reason = member.passive === 'probation' ? 'failed on probation' : this.#reason(member, all, nowMs)
    if (reason === undefined) return undefined
    const { baseMs, maxMs, probationSuccesses } = this.#options
    return { reason, forMs: this.#longer(member, baseMs, maxMs, nowMs), probation: probationSuccesses }
  }

  #reason(member: ClusterMember<unknown>, all: OutcomeWindow, nowMs: number): string | undefined {
    const { consecutiveFailures, failureRatioAbove, volumeMin } = this.#options
    member.recent.turn(nowMs)
    const { requests, failures } = member.recent
    const otherRequests = all.requests - requests
    const otherRatio = otherRequests <= 0 ? 0 : (all.failures - failures) / otherRequests
    const othersAreKnown = otherRequests >= volumeMin
    if (member.failuresInRow >= consecutiveFailures && !(othersAreKnown && otherRatio >= 0.5)) {
      return `${member.failuresInRow} failures in a row`
    }
    if (!othersAreKnown || requests < volumeMin || failures / requests < otherRatio + failureRatioAbove)
      return undefined
    return `${percent(failures / requests)} of ${requests} requests failed, ${percent(otherRatio)} of those to the others`
  }

  #longer(member: ClusterMember<unknown>, baseMs: number, maxMs: number, nowMs: number): number {
    if (member.passive === 'well' && nowMs - member.wellSinceMs >= this.#options.forgetMs) member.ejections = 0
    const ms = Math.min(maxMs, baseMs * 2 ** Math.min(member.ejections, 30))
    member.ejections += 1
    // So that members ejected together do not come back together.
    return ms * (1 + 0.1 * this.#random())
  }
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`
}

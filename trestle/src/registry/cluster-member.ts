import type { MemberReport } from '../call/gateway-report.ts'
import type { Member } from './cluster.ts'
import { OutcomeWindow } from './outcome-window.ts'
import { PeakEwma } from './peak-ewma.ts'

/** What a cluster knows of one member. Plain fields: it is read and written with each request. */
export class ClusterMember<T> {
  readonly id: string
  target: T
  weight: number
  readonly latency: PeakEwma
  readonly recent = new OutcomeWindow()
  inFlight = 0
  /** Of those in flight: for how many it is this member's turn. */
  waiting = 0
  /** Sum of the times since when they wait. */
  startedMs = 0
  requests = 0
  failures = 0
  failuresInRow = 0
  /** What passive observation says. */
  passive: 'well' | 'probation' | 'ejected' = 'well'
  /** What active checks say. */
  isHealthy = true
  lastEjection: MemberReport['lastEjection']
  ejectedUntilMs = 0
  /** When it was last well: since the start, or since its probation ended. */
  wellSinceMs: number
  ejections = 0
  /** Successes that its probation still takes, and out of how many. */
  probationLeft = 0
  probationLength = 1
  /** Requests that it may have on probation: grows by its share of each request, 1 is one request. */
  credit = 0

  constructor(member: Member<T>, decayMs: number, nowMs: number) {
    this.id = member.id
    this.target = member.target
    this.weight = weightOf(member)
    this.latency = new PeakEwma(decayMs)
    this.wellSinceMs = nowMs
  }

  waits(sinceMs: number): void {
    this.waiting += 1
    this.startedMs += sinceMs
  }

  waitsNoMore(sinceMs: number): void {
    this.waiting -= 1
    // From zero again, so that rounding errors do not add up.
    this.startedMs = this.waiting === 0 ? 0 : this.startedMs - sinceMs
  }

  /** What to expect of it: its usual latency, or how long those in flight wait already, if that is more. */
  expectedMs(nowMs: number): number {
    const usualMs = this.latency.at(nowMs)
    return this.waiting === 0 ? usualMs : Math.max(usualMs, nowMs - this.startedMs / this.waiting)
  }

  /** How much of its fair share it gets on probation: a tenth more with each success. */
  get probationShare(): number {
    return (this.probationLength - this.probationLeft + 1) / this.probationLength
  }

  state(nowMs: number): MemberReport {
    const { id, weight, inFlight, requests, failures, lastEjection } = this
    return {
      id,
      state: this.passive === 'ejected' ? 'ejected' : this.isHealthy ? passiveNames[this.passive] : 'unhealthy',
      weight,
      inFlight,
      latencyMs: this.latency.at(nowMs),
      requests,
      failures,
      lastEjection,
    }
  }
}

const passiveNames = { well: 'healthy', probation: 'probation' } as const

/** @throws RangeError when the weight is no share */
export function weightOf({ id, weight = 1 }: Member<unknown>): number {
  if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`the weight of ${id} must be 0 or more, not ${weight}`)
  }
  return weight
}

import type { Client } from '../../call/client.ts'
import type { Clock } from '../../std/clock.ts'
import type { access } from '../access/contract.ts'
import { periodAt, type QuotaPeriod } from './quota-period.ts'
import type { QuotaSpec } from './quota-options.ts'

/** One quota as somebody has it. */
export interface QuotaDemand {
  readonly subject: string
  readonly per: 'day' | 'month'
  readonly allow: number
  readonly units: number
}

/** Units that were taken from a lease; they can be given back as long as its period lasts. */
export interface TakenUnits {
  readonly lease: Lease
  readonly period: QuotaPeriod
  readonly units: number
  /** Served without a lease while the store was down. */
  readonly owed: boolean
}

/** What this process holds of one quota of one subject. */
export interface Lease {
  readonly subject: string
  readonly per: 'day' | 'month'
  period: QuotaPeriod
  /** Leased and not yet served. */
  left: number
  /** Granted to all gateways, as last heard; `undefined`: not heard yet. */
  spent: number | undefined
  /** Served while the store was down, and not charged yet. */
  owed: number
  /** Units that requests wait for right now. */
  wanted: number
  /** With this `allow` nothing more was granted, and until then it is not asked for again (monotonic). */
  refused: { readonly allow: number; readonly untilMs: number } | undefined
  asking: Promise<void> | undefined
}

export type TakeOutcome = TakenUnits | { readonly refused: 'exceeded' | 'down'; readonly lease: Lease }

export interface QuotaLeasesDeps {
  readonly ask: () => Client<typeof access>
  readonly clock: Clock
  readonly spec: QuotaSpec
  /** Told once per failure. */
  readonly onDown: (error: unknown) => void
}

/** Subjects whose leases one process holds; beyond, the oldest lease is forgotten and counts as spent. */
const leasesMax = 100_000
/** How soon more is asked for where nothing was left: others may have given back, or the plan may have changed. */
const askAgainMs = 1_000
const timeoutMs = 1_000
const returnTimeoutMs = 2_000
const returnedMax = 10_000

/**
 * Takes units of quotas before they are served: from leases, which are taken from the database in blocks that get smaller
 * as a quota runs out. What is served is never more than what was leased, and what is leased never more than the quota.
 */
export class QuotaLeases {
  readonly #deps: QuotaLeasesDeps
  readonly #leases = new Map<string, Lease>()
  #downUntilMs = Number.NEGATIVE_INFINITY

  constructor(deps: QuotaLeasesDeps) {
    this.#deps = deps
  }

  /** Takes units. At once, unless more must be leased first. */
  take(demand: QuotaDemand): TakeOutcome | Promise<TakeOutcome> {
    const lease = this.#leaseOf(demand)
    return this.#takeLeft(lease, demand) ?? this.#takeMore(lease, demand)
  }

  /** Units that were not served after all, or do not count. */
  giveBack({ lease, period, units, owed }: TakenUnits): void {
    if (lease.period !== period) return
    if (owed) lease.owed = Math.max(0, lease.owed - units)
    else lease.left += units
  }

  /** Gives what is left of every lease back to the database. */
  async close(): Promise<void> {
    const nowMs = this.#deps.clock.now()
    const held = [...this.#leases.values()].filter(({ left, period }) => left > 0 && period.endsAtMs > nowMs)
    this.#leases.clear()
    const leases = held.map(({ subject, period, left }) => ({ subject, period: period.id, units: left }))
    for (let at = 0; at < leases.length; at += returnedMax) {
      const part = leases.slice(at, at + returnedMax)
      // Not told twice: units that come back twice would be served twice.
      const answer = await this.#deps.ask().returnQuota.try({ leases: part }, { timeoutMs: returnTimeoutMs })
      if (!answer.ok) return
    }
  }

  #leaseOf({ subject, per }: QuotaDemand): Lease {
    const id = `${per}:${subject}`
    const nowMs = this.#deps.clock.now()
    const known = this.#leases.get(id)
    if (known === undefined) return this.#newLease(id, subject, per, nowMs)
    if (nowMs < known.period.startsAtMs || nowMs >= known.period.endsAtMs) {
      Object.assign(known, freshIn(periodAt(per, nowMs)))
    }
    return known
  }

  #newLease(id: string, subject: string, per: 'day' | 'month', nowMs: number): Lease {
    if (this.#leases.size >= leasesMax) this.#leases.delete(this.#leases.keys().next().value as string)
    const lease: Lease = { subject, per, wanted: 0, asking: undefined, ...freshIn(periodAt(per, nowMs)) }
    this.#leases.set(id, lease)
    return lease
  }

  #takeLeft(lease: Lease, { units, allow }: QuotaDemand): TakenUnits | undefined {
    if (lease.left < units) return undefined
    // What was leased while more was allowed is not served any more.
    if (lease.spent !== undefined && lease.spent - lease.left + units > allow) return undefined
    lease.left -= units
    return { lease, period: lease.period, units, owed: false }
  }

  async #takeMore(lease: Lease, demand: QuotaDemand): Promise<TakeOutcome> {
    const { units, allow } = demand
    const { clock } = this.#deps
    lease.wanted += units
    try {
      for (;;) {
        const taken = this.#takeLeft(lease, demand)
        if (taken !== undefined) return taken
        const { refused } = lease
        if (refused?.allow === allow && clock.monotonic() < refused.untilMs) return { refused: 'exceeded', lease }
        if (clock.monotonic() < this.#downUntilMs) return this.#takeWithoutStore(lease, demand)
        lease.asking ??= this.#lease(lease, allow).finally(() => {
          lease.asking = undefined
        })
        try {
          await lease.asking
        } catch {
          return this.#takeWithoutStore(lease, demand)
        }
      }
    } finally {
      lease.wanted -= units
    }
  }

  /** Asks for a block, on behalf of all that wait. */
  async #lease(lease: Lease, allow: number): Promise<void> {
    const { clock, ask, onDown } = this.#deps
    const { period, subject, owed } = lease
    const units = Math.max(lease.wanted - lease.left, this.#block(lease, allow)) + owed
    const answer = await ask().leaseQuota.try({ subject, period: period.id, allow, units }, { timeoutMs })
    if (!answer.ok) {
      this.#downUntilMs = clock.monotonic() + askAgainMs
      onDown(answer.error)
      throw answer.error
    }
    // A lease of a period that is over is of no use.
    if (lease.period !== period) return
    const { granted, spent } = answer.value
    const paid = Math.min(owed, granted)
    lease.owed -= paid
    lease.left += granted - paid
    lease.spent = spent
    lease.refused = granted < units ? { allow, untilMs: clock.monotonic() + askAgainMs } : undefined
  }

  /** Smaller as less is left, so that nothing lies idle at one gateway while another one refuses. */
  #block({ spent }: Lease, allow: number): number {
    const share = spent === undefined ? allow / 100 : (allow - spent) / 20
    return Math.min(this.#deps.spec.leaseMax, Math.max(1, Math.ceil(share)))
  }

  #takeWithoutStore(lease: Lease, { allow, units }: QuotaDemand): TakeOutcome {
    const { whenStoreDown } = this.#deps.spec
    if (whenStoreDown === 'closed') return { refused: 'down', lease }
    if (whenStoreDown === 'local' && (lease.spent ?? 0) + lease.owed + units > allow) {
      return { refused: 'exceeded', lease }
    }
    lease.owed += units
    return { lease, period: lease.period, units, owed: true }
  }
}

function freshIn(period: QuotaPeriod) {
  return { period, left: 0, spent: undefined, owed: 0, refused: undefined }
}

/** The hundreds of a reply's status. */
export type StatusClass = '2xx' | '3xx' | '4xx' | '5xx'

/** How the quotas of plans are counted, and what becomes of them when they cannot be. */
export interface QuotaOptions {
  /** Status of `quota_exceeded`: 400 to 499; default 429. */
  readonly status?: number
  /** What counts against a quota by the reply's status; default 2xx, 3xx and 4xx: what the gateway or a service failed at is free. */
  readonly counts?: readonly StatusClass[]
  /** Whether a reply from the gateway's cache counts; default true. */
  readonly countsCached?: boolean
  /**
   * When no units can be leased because the database cannot be reached: `closed` answers 503 (default: no quota is ever
   * exceeded), `local` lets each gateway process serve what it knows to be left (with N of them up to N times as much),
   * `open` does not count. What was served meanwhile is charged when the database is back. Never a 500.
   */
  readonly whenStoreDown?: 'closed' | 'local' | 'open'
  /**
   * Most units that one gateway process takes in advance, 1 to 10,000; default 100. It takes a hundredth of the quota, or a
   * twentieth of what is left. Units of a process that was killed count as spent.
   */
  readonly leaseMax?: number
}

/** Every default filled in. */
export type QuotaSpec = Required<QuotaOptions>

/** @throws TypeError for a status or a number that is none */
export function quotaSpec(options: QuotaOptions = {}): QuotaSpec {
  const { status = 429, counts = ['2xx', '3xx', '4xx'], countsCached = true } = options
  const { whenStoreDown = 'closed', leaseMax = 100 } = options
  if (!Number.isInteger(status) || status < 400 || status > 499) {
    throw new TypeError(`gateway: quota.status is from 400 to 499, not ${status}`)
  }
  if (!Number.isInteger(leaseMax) || leaseMax < 1 || leaseMax > 10_000) {
    throw new TypeError(`gateway: quota.leaseMax is a whole number from 1 to 10,000, not ${leaseMax}`)
  }
  return { status, counts, countsCached, whenStoreDown, leaseMax }
}

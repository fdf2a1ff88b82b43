import type { Finding, Invariant, InvariantResult, Violation } from './invariant.ts'

const violationsMax = 10

/** An invariant with all that was seen of it. */
export class WatchedInvariant {
  readonly invariant: Invariant
  #looks = 0
  #unanswered = 0
  #checked = 0
  #violations: Violation[] = []
  #violationsTotal = 0
  #lastReason = 'it was never looked at'
  /** Of the last look; `undefined` before the first, and when it got no answer. */
  last: Finding | undefined

  constructor(invariant: Invariant) {
    this.invariant = invariant
  }

  async look(): Promise<void> {
    try {
      this.last = await this.invariant.look()
    } catch (error) {
      this.last = undefined
      this.#unanswered += 1
      this.#lastReason = error instanceof Error ? error.message : String(error)
      return
    }
    this.#looks += 1
    this.#checked = Math.max(this.#checked, this.last.checked)
    if (this.invariant.kind === 'always') this.#keep(this.last.violations)
  }

  /** Whether waiting changes nothing any more: the last look saw something, and nothing wrong that may still pass. */
  settled(): boolean {
    if (this.last === undefined || this.last.checked === 0) return false
    return this.invariant.kind === 'always' || this.last.violations.length === 0
  }

  result(): InvariantResult {
    const { name, kind } = this.invariant
    if (kind === 'eventually') {
      this.#violations = []
      this.#violationsTotal = 0
      this.#keep(this.last?.violations ?? [])
    }
    return {
      name,
      kind,
      looks: this.#looks,
      unanswered: this.#unanswered,
      checked: this.#checked,
      violations: this.#violations,
      violationsTotal: this.#violationsTotal,
      fault: this.#fault(),
    }
  }

  #keep(violations: readonly Violation[]): void {
    this.#violationsTotal += violations.length
    this.#violations.push(...violations.slice(0, violationsMax - this.#violations.length))
  }

  #fault(): string | undefined {
    if (this.#violationsTotal > 0) return `${this.#violationsTotal} violations, the first: ${this.#violations[0]?.what}`
    if (this.last === undefined) return `no answer in the end: ${this.#lastReason}`
    return this.#checked === 0 ? 'there was nothing to look at' : undefined
  }
}

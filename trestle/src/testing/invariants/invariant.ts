/** What must be true of a system, looked at from outside. */
export interface Invariant {
  /** A sentence: `on_hand >= reserved >= 0`. */
  readonly name: string
  /** `always`: at every moment, also amid faults. `eventually`: some time after everything has healed, and from then on. */
  readonly kind: 'always' | 'eventually'
  /** Looks once. Throws when there is no answer to look at, which says nothing. */
  readonly look: () => Promise<Finding>
}

/** What one look saw. */
export interface Finding {
  /** Things that were looked at: rows, orders, captures. A check that looks at nothing proves nothing. */
  readonly checked: number
  readonly violations: readonly Violation[]
}

/** Something that must not be, with what shows it. */
export interface Violation {
  readonly what: string
  readonly evidence: unknown
}

/** What became of one invariant. */
export interface InvariantResult {
  readonly name: string
  readonly kind: Invariant['kind']
  /** Looks that saw something. */
  readonly looks: number
  /** Looks that got no answer. */
  readonly unanswered: number
  /** Of the look that saw most. */
  readonly checked: number
  /** The first of them. */
  readonly violations: readonly Violation[]
  readonly violationsTotal: number
  /** Why it does not hold; `undefined`: it does. */
  readonly fault: string | undefined
}

/** What a checker says in the end. */
export interface InvariantReport {
  readonly holds: boolean
  readonly results: readonly InvariantResult[]
  /** From healing to the moment when all held, milliseconds; `undefined` when they never did. */
  readonly settledMs: number | undefined
}

const evidenceMax = 5_000

/**
 * Looks at each of a list, and gathers what is wrong with them.
 * @example return look(levels, (level) => (level.onHand >= level.reserved ? undefined : 'more is reserved than there is'))
 */
export function look<T>(things: readonly T[], faultOf: (thing: T) => string | undefined): Finding {
  const violations = things.flatMap((thing): readonly Violation[] => {
    const what = faultOf(thing)
    return what === undefined ? [] : [{ what, evidence: shortened(thing) }]
  })
  return { checked: things.length, violations }
}

function shortened(thing: unknown): unknown {
  const text = JSON.stringify(thing) ?? 'undefined'
  return text.length <= evidenceMax ? thing : `${text.slice(0, evidenceMax)}…`
}

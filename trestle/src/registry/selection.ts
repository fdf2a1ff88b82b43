import type { ClusterMember } from './cluster-member.ts'

/** Members of one weight: among them who does best is chosen. */
interface WeightClass<T> {
  readonly members: ClusterMember<T>[]
  /** Of all its members together. */
  weight: number
}

export interface SelectionOptions<T> {
  readonly random: () => number
  /** `undefined`: by requests in flight alone. */
  readonly floorMs: number | undefined
  readonly isReady: ((target: T) => boolean) | undefined
}

/**
 * Who is asked next. A weight class first, at random by its weight, so that a canary has exactly its share; in it the
 * cheaper of two picked at random; cost is latency times requests in flight.
 * Sources: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 1996; Finagle's peak EWMA.
 */
export class Selection<T> {
  readonly #options: SelectionOptions<T>
  /** Everybody with a weight, the best last resort first. */
  #all: ClusterMember<T>[] = []
  #classes: WeightClass<T>[] = []
  #onProbation: ClusterMember<T>[] = []
  #weight = 0
  #wellWeight = 0

  constructor(options: SelectionOptions<T>) {
    this.#options = options
  }

  /** Sorts the members anew. */
  update(members: Iterable<ClusterMember<T>>): void {
    this.#all = [...members].filter((member) => member.weight > 0).toSorted((a, b) => rank(a) - rank(b))
    this.#weight = sum(this.#all)
    this.#onProbation = this.#all.filter((member) => member.passive === 'probation' && member.isHealthy)
    const well = this.#all.filter((member) => rank(member) === 0)
    this.#wellWeight = sum(well)
    const classes = new Map<number, WeightClass<T>>()
    for (const member of well) {
      const found = classes.get(member.weight)
      if (found === undefined) classes.set(member.weight, { members: [member], weight: member.weight })
      else {
        found.members.push(member)
        found.weight += member.weight
      }
    }
    this.#classes = [...classes.values()]
  }

  choose(tried: readonly string[], nowMs: number): ClusterMember<T> | undefined {
    if (tried.length > 0) return this.#other(tried, nowMs)
    const owed = this.#onProbation.length > 0 ? this.#owed() : undefined
    if (owed !== undefined) return owed
    const among = this.#classes.length > 1 ? this.#classAtRandom() : this.#classes[0]
    const chosen = among === undefined ? undefined : this.#better(among.members, nowMs)
    if (chosen !== undefined && this.#isReady(chosen)) return chosen
    return this.#other(tried, nowMs)
  }

  /** The one on probation whose turn it is. */
  #owed(): ClusterMember<T> | undefined {
    let owed: ClusterMember<T> | undefined
    for (const member of this.#onProbation) {
      const share = (member.probationShare * member.weight) / this.#weight
      member.credit = Math.min(1, member.credit + share)
      if (member.credit >= 1 && this.#isReady(member)) owed = member
    }
    if (owed !== undefined) owed.credit = 0
    return owed
  }

  #classAtRandom(): WeightClass<T> | undefined {
    let at = this.#options.random() * this.#wellWeight
    for (const candidate of this.#classes) {
      at -= candidate.weight
      if (at < 0) return candidate
    }
    return this.#classes.at(-1)
  }

  #better(members: readonly ClusterMember<T>[], nowMs: number): ClusterMember<T> | undefined {
    const count = members.length
    if (count < 2) return members[0]
    const { random } = this.#options
    const first = Math.floor(random() * count)
    const step = count === 2 ? 1 : 1 + Math.floor(random() * (count - 1))
    const a = members[first] as ClusterMember<T>
    const b = members[(first + step) % count] as ClusterMember<T>
    return this.#isCheaper(b, a, nowMs) ? b : a
  }

  #isCheaper(a: ClusterMember<T>, b: ClusterMember<T>, nowMs: number): boolean {
    const { floorMs } = this.#options
    // Of one that was never asked nothing is known: it is taken to be as quick as the other.
    if (floorMs === undefined || !a.latency.isKnown || !b.latency.isKnown) return a.inFlight < b.inFlight
    const costOfA = Math.max(floorMs, a.expectedMs(nowMs)) * (a.inFlight + 1)
    return costOfA < Math.max(floorMs, b.expectedMs(nowMs)) * (b.inFlight + 1)
  }

  /** With conditions: one that has not been tried, ready and well if there is one, else the least bad. */
  #other(tried: readonly string[], nowMs: number): ClusterMember<T> | undefined {
    const untried = this.#all.filter((member) => !tried.includes(member.id))
    const ready = untried.filter((member) => this.#isReady(member))
    const well = ready.filter((member) => rank(member) === 0)
    return this.#better(well, nowMs) ?? ready[0] ?? untried[0]
  }

  #isReady(member: ClusterMember<T>): boolean {
    const { isReady } = this.#options
    return isReady === undefined || isReady(member.target)
  }
}

/** 0 is well; of the others the better comes first. */
function rank(member: ClusterMember<unknown>): number {
  if (!member.isHealthy) return 3
  return member.passive === 'well' ? 0 : member.passive === 'probation' ? 1 : 2
}

function sum(members: readonly ClusterMember<unknown>[]): number {
  return members.reduce((total, member) => total + member.weight, 0)
}

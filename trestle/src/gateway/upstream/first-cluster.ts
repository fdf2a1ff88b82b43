import type { Attempt, Cluster, Member, NoAttempt } from '../../registry/cluster.ts'

/** Takes turns. Stands in until the registry's own cluster is there. */
export function firstCluster<T>(): Cluster<T> {
  let members: readonly Member<T>[] = []
  let turn = 0
  return {
    replace(next) {
      members = next
    },
    begin(tried = []): Attempt<T> | NoAttempt {
      const left = members.filter(({ id, weight = 1 }) => weight > 0 && !tried.includes(id))
      const member = left[turn++ % Math.max(1, left.length)]
      if (member === undefined) return { refused: 'no_member', retryAfterMs: 1_000 }
      return { id: member.id, target: member.target, end() {} }
    },
    mayRetry: () => true,
    checked() {},
    state: () => ({ breaker: 'closed', inFlight: 0, concurrencyLimit: undefined, members: [] }),
  }
}

import type { Clock } from '../../std/clock.ts'
import type { Replica } from './replica.ts'

export interface LivenessOptions {
  /** Default 2,000. */
  readonly pingEveryMs?: number
  /** A process that answers nothing for so long is ended and started again; default 10,000. */
  readonly unansweredMaxMs?: number
}

export interface Liveness {
  pong(replica: Replica, id: number): void
  stop(): void
}

/**
 * Asks every ready process for a sign of life. What counts is how often it was asked, not how late it is: after this
 * process itself was suspended, nobody is ended for it.
 */
export function watchLiveness(
  deps: {
    readonly replicas: () => Iterable<Replica>
    readonly clock: Clock
    readonly onDead: (replica: Replica, reason: string) => void
  },
  { pingEveryMs = 2_000, unansweredMaxMs = 10_000 }: LivenessOptions = {},
): Liveness {
  const missesMax = Math.max(1, Math.ceil(unansweredMaxMs / pingEveryMs))
  const asked = new Map<Replica, { readonly id: number; readonly life: number; misses: number }>()
  let id = 0
  const ask = (replica: Replica) => {
    const open = asked.get(replica)
    if (open === undefined || open.life !== replica.life) {
      asked.set(replica, { id: ++id, life: replica.life, misses: 0 })
      replica.handle?.send({ kind: 'ping', id })
    } else if (++open.misses >= missesMax) {
      asked.delete(replica)
      deps.onDead(replica, `did not answer for ${open.misses * pingEveryMs} ms`)
    }
  }
  const tick = () => {
    for (const replica of asked.keys()) if (replica.state === 'gone') asked.delete(replica)
    for (const replica of deps.replicas()) if (replica.state === 'ready') ask(replica)
    timer = deps.clock.setTimeout(tick, pingEveryMs)
  }
  let timer = deps.clock.setTimeout(tick, pingEveryMs)
  return {
    pong(replica, answered) {
      if (asked.get(replica)?.id === answered) asked.delete(replica)
    },
    stop: () => timer.cancel(),
  }
}

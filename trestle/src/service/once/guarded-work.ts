import { onceWork } from '../../call/once-work.ts'
import { platformProblem } from '../../call/problem.ts'
import type { Call, Reply } from '../../call/call.ts'
import type { WatchableStore } from '../../store/store.ts'
import type { BoundOperation } from '../bound-operation.ts'
import { handlerArgs } from '../handler-args.ts'
import { place } from '../problem-of-error.ts'
import { writeOutput } from '../write-output.ts'
import { cancelWork } from './cancelled-work.ts'
import { GuardedStore } from './guarded-store.ts'
import { cancelledBy, parentsOf, scopeOf } from './identity.ts'
import { isCancelled } from './record.ts'
import { type Perform, plainWork } from './work.ts'

/**
 * Work without a record of its own, such as that of an operation that is idempotent by nature. It takes part in the once-only
 * work of others when its call comes from such work (its key is derived), or undoes some (`cancels`): what was undone
 * commits nothing any more, and what undoes says so before it begins.
 */
export function guardedWork(bound: BoundOperation, store: WatchableStore<unknown>): Perform {
  const plain = plainWork(bound)
  const { clock } = bound.deps
  return async (request) => {
    const { call, input, signal, effects } = request
    const [parents, undone] = [parentsOf(call), cancelledBy(call)]
    if (undone !== undefined && effects !== undefined) await cancelWork(store, undone, clock.now())
    if (parents.length === 0 || effects === undefined) return plain(request)
    // What it only writes here is refused at the commit. What it asks of others must not even be asked.
    if (bound.callsOthers && (await isCancelled(store, parents))) return cancelled(bound, call)
    const guarded = new GuardedStore(store, effects, parents, call.trace)
    const { scope } = onceWork({ key: scopeOf(call), beganAtMs: 0, within: call.key, cancels: call.cancels })
    const args = handlerArgs(bound, call, input, signal, effects, { scope, store: guarded })
    try {
      const value = await bound.handler(args)
      return (await guarded.refused()) ? cancelled(bound, call) : writeOutput(bound, call, value)
    } catch (error) {
      if (await guarded.refused()) return cancelled(bound, call)
      throw error
    }
  }
}

/** The work that the call is part of was undone: nothing was done for it. */
export function cancelled(bound: BoundOperation, call: Call): Reply {
  return { ok: false, problem: platformProblem('idempotency_cancelled', place(bound, call)) }
}

import type { CallContext, Effects } from '../call/call-context.ts'
import type { Call } from '../call/call.ts'
import type { BoundOperation } from './bound-operation.ts'
import { WatchedStore } from './effects.ts'

/** The one argument of a handler. The types are `HandlerArgs`'s. */
export function handlerArgs(
  bound: BoundOperation,
  call: Call,
  input: unknown,
  signal: AbortSignal,
  effects: Effects | undefined,
) {
  const { deps } = bound
  const context: CallContext = {
    caller: call.caller,
    trace: call.trace,
    deadlineMs: call.deadlineMs,
    signal,
    ...(effects === undefined ? {} : { effects }),
  }
  return {
    input,
    caller: call.caller,
    call: bound.callsFor(context),
    store:
      deps.store === undefined || effects === undefined
        ? deps.store
        : new WatchedStore(deps.store, effects, call.trace),
    fail: bound.fail,
    newId: deps.newId,
    now: () => deps.clock.now(),
    random: deps.random,
    signal,
    timeLeftMs: () => Math.max(0, call.deadlineMs - deps.clock.monotonic()),
    key: call.key,
    log: deps.log,
    trace: call.trace,
  }
}

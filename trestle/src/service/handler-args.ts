import type { CallContext, Effects } from '../call/call-context.ts'
import type { Call } from '../call/call.ts'
import type { OnceWork } from '../call/once-work.ts'
import type { Store } from '../store/store.ts'
import type { BoundOperation } from './bound-operation.ts'
import { WatchedStore } from './effects.ts'

/** What once-only work has in place of what other work has. */
export interface OnceArgs extends Pick<OnceWork, 'scope'>, Partial<Omit<OnceWork, 'scope'>> {
  readonly store: Store<unknown>
}

/** The one argument of a handler. The types are `HandlerArgs`'s. */
export function handlerArgs(
  bound: BoundOperation,
  call: Call,
  input: unknown,
  signal: AbortSignal,
  effects: Effects | undefined,
  once?: OnceArgs,
) {
  const { deps } = bound
  const context: CallContext = {
    caller: call.caller,
    trace: call.trace,
    deadlineMs: call.deadlineMs,
    signal,
    ...(effects === undefined ? {} : { effects }),
    ...(once === undefined ? {} : { once: once.scope }),
  }
  return {
    input,
    caller: call.caller,
    call: bound.callsFor(context),
    store: once?.store ?? watched(deps.store, effects, call),
    fail: bound.fail,
    newId: once?.newId ?? deps.newId,
    now: once?.now ?? (() => deps.clock.now()),
    random: once?.random ?? deps.random,
    signal,
    timeLeftMs: () => Math.max(0, call.deadlineMs - deps.clock.monotonic()),
    key: call.key,
    log: deps.log,
    trace: call.trace,
  }
}

function watched(store: BoundOperation['deps']['store'], effects: Effects | undefined, call: Call) {
  return store === undefined || effects === undefined ? store : new WatchedStore(store, effects, call.trace)
}

import type { CallContext } from '../../call/call-context.ts'
import { type OnceWork, onceWork } from '../../call/once-work.ts'
import { uuidv7 } from '../../std/ids.ts'
import type { EventMeta } from '../../store/inbox/subscription.ts'
import type { Store } from '../../store/store.ts'
import type { Subscription } from './subscription.ts'

/** The handling of an event as once-only work: its key is the same at each delivery, also after a replay. */
export function workOf({ definition, deps }: Subscription, { id, occurredAt }: EventMeta): OnceWork {
  return onceWork({ key: `${deps.service}/${definition.name}/${id}`, beganAtMs: occurredAt })
}

/** What the handler of one event gets besides it: what it derives is the same whenever the event is handled again. */
export function oneExtras({ deps }: Subscription, { newId, random }: OnceWork, signal: AbortSignal) {
  return { newId, now: () => deps.clock.now(), random, signal, log: deps.log }
}

/** What the handler of many events gets besides them: what is in a batch may differ the next time. */
export function manyExtras({ deps }: Subscription, signal: AbortSignal) {
  const { clock, random, log } = deps
  return { newId: () => uuidv7(clock.now()), now: () => clock.now(), random, signal, log }
}

/** What the handler of an effect gets besides. The types are `EffectArgs`'s. */
export function effectExtras(subscription: Subscription, meta: EventMeta, signal: AbortSignal, store: Store<unknown>) {
  const work = workOf(subscription, meta)
  const caller = { kind: 'service', id: subscription.deps.service, scopes: [] } as const
  const context: CallContext = { caller, trace: meta.trace, signal, once: work.scope }
  return {
    ...oneExtras(subscription, work, signal),
    caller,
    key: work.scope.key,
    call: subscription.deps.callsFor(context),
    store,
  }
}

import type { CallContext } from '../../call/call-context.ts'
import type { ServiceDefinition } from '../../service/service.ts'
import type { RunningSubscriptions, SubscriptionDeps } from '../../service/subscriptions/start-subscriptions.ts'
import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import type { BusEnd } from '../../store/outbox/bus.ts'
import type { OpenStore } from '../../store/store.ts'

/** What a service publishes and is told of, at work. */
export interface RunningEvents {
  readonly subscriptions: RunningSubscriptions | undefined
  /** Nothing more is handled; what is published can still be read. */
  stopHandling(): Promise<void>
  close(): Promise<void>
}

export type EventsDeps = Omit<SubscriptionDeps, 'store' | 'callsFor'> & {
  readonly store: OpenStore<unknown> | undefined
  readonly callsFor: (context: CallContext) => object
  /** Those of its sagas. */
  readonly more?: readonly SubscriptionDefinition[]
}

/** Joins a service to the bus: what it publishes can be read, and what it subscribes to is handled. */
export async function startEvents(definition: ServiceDefinition, deps: EventsDeps): Promise<RunningEvents> {
  const { store, bus, service, more = [] } = deps
  if (store === undefined) return nothing
  const ends: BusEnd[] = []
  for (const { id, events } of definition.contracts) {
    if (Object.keys(events).length > 0) ends.push(await bus.produce({ stream: id, service, feed: store.feed }))
  }
  const wishes = [...definition.subscriptions, ...more]
  const subscriptions = wishes.length === 0 ? undefined : await begin(wishes, { ...deps, store })
  return {
    subscriptions,
    async stopHandling() {
      await subscriptions?.stop()
    },
    async close() {
      await subscriptions?.stop()
      await Promise.all(ends.map((end) => end.close()))
    },
  }
}

/** The code of subscriptions is loaded where there are some. */
async function begin(wishes: readonly SubscriptionDefinition[], deps: SubscriptionDeps): Promise<RunningSubscriptions> {
  const { startSubscriptions } = await import('../../service/subscriptions/start-subscriptions.ts')
  return await startSubscriptions(wishes, deps)
}

const nothing: RunningEvents = {
  subscriptions: undefined,
  async stopHandling() {},
  async close() {},
}

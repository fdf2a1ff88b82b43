import type { ContractEvent } from '../../contract/contract.ts'
import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import type { SubscriptionOptions } from './event-handler.ts'

/** A handler whose types have been forgotten; `implement` says them exactly. */
// oxlint-disable-next-line typescript/no-explicit-any -- the overloads of `implement` say it exactly
export type AnyHandle = (args: any) => Promise<unknown>

/** One event, or several of one contract. */
export type EventChoice = ContractEvent | readonly ContractEvent[]

/** What `impl.on` makes. @throws RangeError for a number out of its bounds; TypeError for events of several contracts, or none */
export function onEvent(
  event: EventChoice,
  handle: AnyHandle,
  options: SubscriptionOptions & { readonly batch?: number },
): SubscriptionDefinition {
  const { batch } = options
  return {
    ...common(event, options),
    mode: 'transaction',
    batchMax: whole('batch', batch ?? 1, 1, 1_000),
    async run(deliveries, { tx, more }) {
      if (batch !== undefined) {
        await handle({ events: deliveries, tx, ...more })
        return
      }
      for (const { event: payload, meta } of deliveries) await handle({ event: payload, meta, tx, ...more })
    },
  }
}

/** What `impl.effect` makes. @throws as `onEvent` */
export function effectOf(event: EventChoice, handle: AnyHandle, options: SubscriptionOptions): SubscriptionDefinition {
  return {
    ...common(event, options),
    mode: 'effect',
    batchMax: 1,
    async run(deliveries, { more }) {
      for (const { event: payload, meta } of deliveries) await handle({ event: payload, meta, ...more })
    },
  }
}

function common(chosen: EventChoice, { name, from, triesMax, concurrencyMax }: SubscriptionOptions) {
  const events = 'name' in chosen ? [chosen] : chosen
  const [first] = events
  if (first === undefined) throw new TypeError('a subscription to no event')
  if (events.some(({ contractId }) => contractId !== first.contractId)) {
    throw new TypeError(
      `a subscription to events of several contracts, ${first.contract} among them; write one for each`,
    )
  }
  return {
    name: name ?? defaultName(events, first),
    events,
    from: from ?? 'earliest',
    triesMax: whole('triesMax', triesMax ?? 10, 1, 1_000),
    concurrencyMax: whole('concurrencyMax', concurrencyMax ?? 4, 1, 64),
  } as const
}

/** A place in one major version says nothing in another: the name tells them apart, so that replicas of both may run. */
function defaultName({ length }: readonly ContractEvent[], { contractId, name }: ContractEvent): string {
  const of = contractId.replace(/@1$/, '')
  return length === 1 ? `${of}.${name}` : of
}

function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`)
}

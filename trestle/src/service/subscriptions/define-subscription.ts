import type { ContractEvent } from '../../contract/contract.ts'
import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import type { SubscriptionOptions } from './event-handler.ts'

/** A handler whose types have been forgotten; `implement` says them exactly. */
// oxlint-disable-next-line typescript/no-explicit-any -- the overloads of `implement` say it exactly
export type AnyHandle = (args: any) => Promise<unknown>

/** What `impl.on` makes. @throws RangeError for a number out of its bounds */
export function onEvent(
  event: ContractEvent,
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

/** What `impl.effect` makes. @throws RangeError for a number out of its bounds */
export function effectOf(
  event: ContractEvent,
  handle: AnyHandle,
  options: SubscriptionOptions,
): SubscriptionDefinition {
  return {
    ...common(event, options),
    mode: 'effect',
    batchMax: 1,
    async run(deliveries, { more }) {
      for (const { event: payload, meta } of deliveries) await handle({ event: payload, meta, ...more })
    },
  }
}

function common(event: ContractEvent, { name, from, triesMax, concurrencyMax }: SubscriptionOptions) {
  return {
    name: name ?? `${event.contract}.${event.name}`,
    events: [event],
    from: from ?? 'earliest',
    triesMax: whole('triesMax', triesMax ?? 10, 1, 1_000),
    concurrencyMax: whole('concurrencyMax', concurrencyMax ?? 4, 1, 64),
  } as const
}

function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`)
}

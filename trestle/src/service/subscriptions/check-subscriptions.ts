import type { SubscriptionDefinition } from '../../store/inbox/subscription.ts'

/** @throws TypeError with the subscription and the remedy */
export function checkSubscriptions(service: string, definitions: readonly SubscriptionDefinition[]): void {
  const seen = new Set<string>()
  for (const definition of definitions) {
    const { name, events } = definition
    if (seen.has(name)) {
      throw new TypeError(`${service} has two subscriptions '${name}': name one of them, { name: '...' }`)
    }
    seen.add(name)
    const streams = new Set(events.map(({ contractId }) => contractId))
    if (streams.size !== 1) {
      throw new TypeError(
        `${service}: the subscription '${name}' must be to events of one contract, not of ${streams.size}`,
      )
    }
  }
}

/** The stream that a subscription reads: its events are all of one contract. */
export function streamOf({ events }: SubscriptionDefinition): string {
  return events[0]?.contractId ?? ''
}

import type { SagaDefinition } from '../call/saga-definition.ts'
import type { ContractEvent } from '../contract/contract.ts'
import { formatTraceparent, newTrace } from '../std/trace-context.ts'
import type { Delivery, SubscriptionDefinition } from '../store/inbox/subscription.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { afterCommit } from '../store/tx-scope.ts'
import { type Arrival, noteArrivals } from './arrivals.ts'
import { type SagaSpec, specOf, waitsOf } from './define-saga.ts'
import { defaultLimits, Engine, type EngineDeps, type SagaLimits } from './engine.ts'
import { eventId } from './instance.ts'
import type { SagaOperations } from '../call/saga-operations.ts'
import { operateSagas } from './operate.ts'
import { sagaMetrics } from './saga-metrics.ts'
import { sealEvent } from './sealed-event.ts'
import { startInstances } from './start-instances.ts'
import { setNeighbour } from './within.ts'

/** What the host gives to the sagas of one service. */
export interface SagaDeps extends Omit<EngineDeps, 'limits' | 'metrics'> {
  readonly metrics?: Metrics
  readonly limits?: Partial<SagaLimits>
}

/** Sagas at work. */
export interface RunningSagas {
  /** What must be told to them: events that start them, and events that they wait for. */
  readonly subscriptions: readonly SubscriptionDefinition[]
  /** What an operator can do. */
  readonly operations: SagaOperations
  /** Something may have become due: events have come, or the wall clock was moved. */
  wake(): void
  /** Resolves when nothing is under way and nothing is due. */
  settled(): Promise<void>
  /** Instances in hand whose step is about to be tried again. */
  asleep(): number
  /** What is under way is given a moment, the rest is left to whoever comes next. */
  close(): Promise<void>
}

/**
 * Brings the sagas of a service to life.
 * @example const sagas = startSagas(definition.sagas, { service, store, send, clock, random, newId, log })
 */
export function startSagas(definitions: readonly SagaDefinition[], deps: SagaDeps): RunningSagas {
  const specs = definitions.map((definition) => specOf(definition))
  const metrics = sagaMetrics(deps.metrics, deps.service)
  const engine = new Engine(specs, { ...deps, limits: { ...defaultLimits, ...deps.limits }, metrics })
  setNeighbour(deps.store, {
    get owner() {
      return engine.owner
    },
    now: () => deps.clock.now(),
    newId: deps.newId,
    take: (begun) => engine.begin(begun),
    wake: () => engine.wake(),
  })
  engine.start()
  return {
    subscriptions: specs.flatMap((spec) => subscriptionsOf(spec, engine, deps)),
    operations: operateSagas(definitions, { ...deps, wake: () => engine.wake() }),
    wake: () => engine.wake(),
    settled: () => engine.settled(),
    asleep: () => engine.asleep,
    close: () => engine.close(),
  }
}

/** One for each contract: its events come in their order then, those that start and those that are waited for. */
function subscriptionsOf(spec: SagaSpec, engine: Engine, deps: SagaDeps): SubscriptionDefinition[] {
  const events = new Map<string, Map<string, ContractEvent>>()
  for (const event of [spec.on, ...[spec, ...spec.earlier].flatMap(waitsOf)]) {
    const known = events.get(event.contractId) ?? new Map<string, ContractEvent>()
    events.set(event.contractId, known.set(event.name, event))
  }
  return [...events].map(([contractId, ofContract]) => ({
    name: `saga.${spec.name}.${contractId}`,
    events: [...ofContract.values()],
    mode: 'transaction',
    // All that may come at once: parts of it would each have their keys in order, and together they would not.
    batchMax: 1_000,
    from: 'earliest',
    triesMax: 10,
    concurrencyMax: 4,
    run: (deliveries, { tx }) => take(spec, ofContract, engine, deps, deliveries, tx as NonNullable<typeof tx>),
  }))
}

async function take(
  spec: SagaSpec,
  events: ReadonlyMap<string, ContractEvent>,
  engine: Engine,
  { clock, newId }: SagaDeps,
  deliveries: readonly Delivery[],
  tx: NonNullable<Parameters<SubscriptionDefinition['run']>[1]['tx']>,
): Promise<void> {
  const starting = deliveries.filter(({ meta }) => meta.type === spec.on.name && events.get(meta.type) === spec.on)
  const waits = new Set([spec, ...spec.earlier].flatMap(waitsOf))
  const waited = deliveries.filter(({ meta }) => waits.has(events.get(meta.type) as ContractEvent))
  const nowMs = clock.now()
  const { owner } = engine
  if (starting.length > 0) {
    const beginnings = starting.map(({ event, meta }) => ({ id: newId(), key: meta.key, event, trace: meta.trace }))
    const begun = await startInstances(tx, spec, beginnings, { nowMs, owner })
    if (begun.length > 0) afterCommit(tx, () => engine.begin(begun))
  }
  if (waited.length > 0) {
    const arrivals = waited.map(({ event, meta }): Arrival => {
      const type = events.get(meta.type) as ContractEvent
      return { key: meta.key, event: eventId(type), payload: sealEvent(type, event) }
    })
    const traceparent = formatTraceparent(waited[0]?.meta.trace ?? newTrace())
    const due = await noteArrivals(tx, spec, arrivals, { nowMs, newId, traceparent })
    if (due > 0) afterCommit(tx, () => engine.wake())
  }
}

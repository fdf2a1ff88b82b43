import type { z } from 'zod'
import type { SagaLine, SagaOperations, SagaSummary } from '../../call/saga-operations.ts'
import type { StreamView } from '../../store/outbox/outbox-views.ts'
import { streamViews } from '../../store/outbox/outbox-views.ts'
import type { Store } from '../../store/store.ts'
import { parseTraceparent } from '../../std/trace-context.ts'
import { implement } from '../implement.ts'
import { type JobStatus, listJobs, runJobNow } from '../jobs/operate-jobs.ts'
import type { ServiceDefinition } from '../service.ts'
import {
  type BlockedKey,
  type FeedFor,
  listBlocked,
  oldestUnhandledMs,
  redrive,
  replay,
  skip,
  type SubscriptionStatus,
  subscriptionStatus,
} from '../subscriptions/operate.ts'
import { operatedBy } from './contract.ts'
import type { specs } from './operations.ts'

/** What the operator's operations of a service work on. */
export interface OperatedDeps {
  readonly store: Store<unknown>
  readonly feedFor: FeedFor
  readonly now: () => number
  /** Names of its subscriptions, those of its sagas included. */
  readonly subscriptions: () => readonly string[]
  /** Of its sagas; `undefined`: it has none, or they have not been started yet. */
  readonly sagas: () => SagaOperations | undefined
  /** What was changed in the tables is seen at once by the workers of this process. */
  readonly wake: () => void
}

/** The operator's operations of one service, as a service of its own. */
export function operatedService(service: string, deps: OperatedDeps): ServiceDefinition {
  const { store, wake } = deps
  const isKnown = (subscription: string) => deps.subscriptions().includes(subscription)
  const itsSubscriptions = () => ({ detail: listed(service, 'subscriptions', deps.subscriptions()) })
  const woken = <T>(value: T): T => {
    wake()
    return value
  }
  const impl = implement(operatedBy(service), { name: `${service}.operated` })
  return impl.service({
    handlers: {
      streams: async () => (await streamViews(store.db)).map(streamText),
      subscriptions: async () => (await subscriptionStatus(store, deps.feedFor, deps.now())).map(subscriptionText),
      blocked: async ({ input }) => {
        const { subscription, key, afterSubscription, afterKey, max } = input
        const behind =
          afterSubscription === undefined || afterKey === undefined
            ? {}
            : { after: { subscription: afterSubscription, key: afterKey } }
        const only = { ...(subscription === undefined ? {} : { subscription }), ...(key === undefined ? {} : { key }) }
        return (await listBlocked(store, { max, ...only, ...behind })).map(blockedText)
      },
      redrive: async ({ input: { subscription, key, reason }, fail }) => {
        if (!isKnown(subscription)) return fail('unknown_subscription', itsSubscriptions())
        const which = key === undefined ? {} : { key }
        return woken({ keys: await redrive(store, { subscription, reason, ...which }) })
      },
      skip: async ({ input, fail }) => {
        if (!isKnown(input.subscription)) return fail('unknown_subscription', itsSubscriptions())
        const skipped = (await skip(store, input)) ?? fail('not_next')
        return woken({ eventId: skipped.eventId ?? null, missing: skipped.missing })
      },
      replay: async ({ input: { subscription, since, reason }, fail }) => {
        if (!isKnown(subscription)) return fail('unknown_subscription', itsSubscriptions())
        const sinceMs = since === undefined ? undefined : Date.parse(since)
        if (sinceMs !== undefined) {
          const oldestMs = (await oldestUnhandledMs(store, deps.feedFor, subscription)) ?? deps.now()
          const latestMs = oldestMs - marginMs
          if (sinceMs > latestMs) return fail('passes_over', { detail: `Replay from ${moment(latestMs)} or earlier` })
        }
        const replayed =
          (await replay(store, { subscription, sinceMs, reason })) ?? fail('unknown_subscription', itsSubscriptions())
        const { waiting, parkedKeys } = replayed.givenUp
        return woken({ generation: replayed.generation, givenUpWaiting: waiting, givenUpParkedKeys: parkedKeys })
      },
      sagas: async ({ input: { before, saga, key, ...rest } }) => {
        const only = { ...(saga === undefined ? {} : { saga }), ...(key === undefined ? {} : { key }) }
        const older = before === undefined ? {} : { before: Date.parse(before) }
        return ((await deps.sagas()?.list({ ...rest, ...only, ...older })) ?? []).map(sagaText)
      },
      saga: async ({ input, fail }) => {
        const { summary, timeline } = (await deps.sagas()?.show(input.id)) ?? fail('unknown_saga')
        return { saga: sagaText(summary), timeline: timeline.map(lineText) }
      },
      retrySaga: async ({ input, fail }) => {
        const outcome = (await deps.sagas()?.retry(input.id)) ?? fail('unknown_saga')
        if (outcome !== 'retried') fail(outcome)
      },
      cancelSaga: async ({ input, fail }) => {
        const outcome = (await deps.sagas()?.cancel(input.id, input.reason)) ?? fail('unknown_saga')
        if (outcome === 'past_pivot' || outcome === 'ended') fail(outcome)
      },
      resolveSaga: async ({ input: { id, how, reason }, fail }) => {
        const outcome = (await deps.sagas()?.resolve(id, how, reason)) ?? fail('unknown_saga')
        if (outcome !== 'resolved') fail(outcome)
      },
      jobs: async () => (await listJobs(store)).map(jobText),
      runJob: async ({ input, fail }) => {
        if (!(await runJobNow(store, input.name, deps.now()))) {
          const names = (await listJobs(store)).map(({ name }) => name)
          fail('unknown_job', { detail: listed(service, 'jobs', names) })
        }
        wake()
      },
    },
  })
}

/** What is being published at this moment is not seen yet, and the clocks of a service and of its database may differ. */
const marginMs = 60_000

function listed(service: string, what: string, names: readonly string[]): string {
  return names.length === 0 ? `${service} has no ${what}` : `The ${what} of ${service}: ${names.join(', ')}`
}

type Json = z.output<z.ZodJSONSchema>

function moment(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

function streamText({ stream, events, oldestAtMs, newestAtMs, readers }: StreamView) {
  return {
    stream,
    events,
    oldestAt: moment(oldestAtMs),
    newestAt: moment(newestAtMs),
    readers: readers.map(({ reader, seenAtMs, unread }) => ({
      reader,
      seenAt: new Date(seenAtMs).toISOString(),
      unread,
    })),
  }
}

function subscriptionText(status: SubscriptionStatus): z.input<typeof specs.subscriptions.output>[number] {
  const { name, stream, generation, waiting, parkedKeys, parkedWaiting, gapKeys } = status
  return {
    name,
    stream,
    generation,
    puller: status.puller ?? null,
    unread: status.unread ?? null,
    placeLost: status.isPlaceLost,
    waiting,
    lagMs: status.lagMs ?? null,
    parkedKeys,
    parkedWaiting,
    gapKeys,
    lastFetchedAt: moment(status.acceptedAtMs),
  }
}

function blockedText(blocked: BlockedKey): z.input<typeof specs.blocked.output>[number] {
  const { subscription, key, why, tries, waiting, event } = blocked
  return {
    subscription,
    key,
    why,
    parkedAt: moment(blocked.parkedAtMs),
    reason: blocked.reason ?? null,
    tries,
    waiting,
    missing: blocked.missing ?? null,
    event: {
      id: event.id,
      type: event.type ?? null,
      version: event.version ?? null,
      keyVersion: event.keyVersion,
      occurredAt: moment(event.occurredAtMs),
      payload: event.payload === undefined ? null : (JSON.parse(event.payload) as Json),
      traceId: parseTraceparent(event.traceparent)?.traceId ?? null,
    },
  }
}

function sagaText(summary: SagaSummary): z.input<typeof specs.sagas.output>[number] {
  const { id, saga, key, version, state, tries } = summary
  return {
    id,
    saga,
    key,
    version,
    state,
    waitsFor: summary.waitsFor ?? null,
    since: moment(summary.since),
    until: moment(summary.until),
    tries,
    lastError: summary.lastError ?? null,
    failure: summary.failure ?? null,
    startedAt: new Date(summary.startedAt).toISOString(),
    endedAt: moment(summary.endedAt),
  }
}

function lineText(line: SagaLine): z.input<typeof specs.saga.output>['timeline'][number] {
  const { n, action, outcome, tries } = line
  return {
    n,
    step: line.step ?? null,
    action,
    outcome,
    tries,
    beganAt: moment(line.beganAt),
    at: new Date(line.at).toISOString(),
    result: line.result === undefined ? null : (JSON.parse(line.result) as Json),
    error: line.error ?? null,
  }
}

function jobText(job: JobStatus): z.input<typeof specs.jobs.output>[number] {
  const { name, schedule, tries, runs, failures } = job
  return {
    name,
    schedule,
    dueAt: moment(job.dueAtMs),
    retryAt: moment(job.retryAtMs),
    tries,
    runner: job.runner ?? null,
    startedAt: moment(job.startedAtMs),
    finishedAt: moment(job.finishedAtMs),
    runs,
    failures,
    lastFailure: job.lastFailure ?? null,
  }
}

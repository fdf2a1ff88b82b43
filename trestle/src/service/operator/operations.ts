import { z } from 'zod'
import { problem } from '../../contract/index.ts'

const Moment = z.iso.datetime()
const Count = z.int().min(0)
const Name = z.string().min(1).max(200)
const Reason = z.string().min(1).max(500).describe('Why; it is written down with the act')

const Stream = z
  .object({
    stream: z.string().describe('Id of the contract whose events these are'),
    events: Count.describe('Kept'),
    oldestAt: Moment.nullable(),
    newestAt: Moment.nullable(),
    readers: z.array(z.object({ reader: z.string(), seenAt: Moment, unread: Count })),
  })
  .meta({ id: 'EventStream' })

const Subscription = z
  .object({
    name: z.string(),
    stream: z.string(),
    generation: z.int().describe('Rises with every replay'),
    puller: z.string().nullable().describe('The process that fetches its events'),
    unread: Count.nullable().describe('Published and not fetched yet, counted up to 10,000; null: nobody can be asked'),
    placeLost: z.boolean().describe('The publisher no longer has what follows its place: replay it'),
    waiting: Count.describe('Fetched, and to be handled'),
    lagMs: z.number().nullable().describe('Age of the oldest event that is not handled, those of parked keys left out'),
    parkedKeys: Count,
    parkedWaiting: Count.describe('Events that wait behind parked keys'),
    gapKeys: Count.describe('Keys whose next event has not come, although a later one has'),
    lastFetchedAt: Moment.nullable(),
  })
  .meta({ id: 'Subscription' })

const BlockedKey = z
  .object({
    subscription: z.string(),
    key: z.string(),
    why: z.enum(['parked', 'gap']),
    parkedAt: Moment.nullable(),
    reason: z.string().nullable(),
    tries: Count,
    waiting: Count.describe('Events of the key that wait'),
    missing: z.object({ from: z.int(), to: z.int() }).nullable().describe('Versions that have not come'),
    event: z.object({
      id: z.string(),
      type: z.string().nullable(),
      version: z.int().nullable(),
      keyVersion: z.int(),
      occurredAt: Moment.nullable(),
      payload: z.json().nullable(),
      traceId: z.string().nullable(),
    }),
  })
  .meta({ id: 'BlockedKey' })

const Job = z
  .object({
    name: z.string(),
    schedule: z.string(),
    dueAt: Moment.nullable().describe('Next tick; null: there is none any more'),
    retryAt: Moment.nullable().describe('A tick that failed is not tried again before'),
    tries: Count.describe('Of the tick that is due'),
    runner: z.string().nullable().describe('The process that runs it now'),
    startedAt: Moment.nullable(),
    finishedAt: Moment.nullable(),
    runs: Count,
    failures: Count,
    lastFailure: z.string().nullable(),
  })
  .meta({ id: 'Job' })

const SagaState = z.enum(['expected', 'running', 'waiting', 'undoing', 'stuck', 'done', 'undone'])

const Saga = z
  .object({
    id: z.string(),
    saga: z.string(),
    key: z.string(),
    version: z.int().describe('Of the definition under which it began'),
    state: SagaState,
    waitsFor: z.string().nullable().describe('What it waits for, in words; null: it has ended'),
    since: Moment.nullable(),
    until: Moment.nullable().describe('When that ends at the latest, or is tried again'),
    tries: Count,
    lastError: z.string().nullable(),
    failure: z.string().nullable().describe('Why it is undone'),
    startedAt: Moment,
    endedAt: Moment.nullable(),
  })
  .meta({ id: 'Saga' })

const SagaLine = z
  .object({
    n: z.int(),
    step: z.string().nullable(),
    action: z.string(),
    outcome: z.string(),
    tries: Count,
    beganAt: Moment.nullable(),
    at: Moment,
    result: z.json().nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: 'SagaLine' })

const byId = z.object({ id: z.uuid() })
const unknownSaga = problem(404, 'The service has no such instance of a saga')

const unknownSubscription = problem(404, 'The service has no such subscription')

/**
 * What an operator may see of, and do to, the events, sagas and jobs of one service: the one description behind the
 * contract that every service with a store has, and the routes of the admin listener.
 */
export const specs = {
  streams: { summary: 'What the service has published and keeps, and who reads it', output: z.array(Stream) },
  subscriptions: { summary: 'How its subscriptions stand', output: z.array(Subscription) },
  blocked: {
    summary: 'Keys whose events wait for a person, with what blocks them',
    input: z.object({
      subscription: Name.optional(),
      key: z.string().max(1_000).optional(),
      afterSubscription: Name.optional().describe('With `afterKey`: behind which one to go on'),
      afterKey: z.string().max(1_000).optional(),
      max: z.int().min(1).max(1_000).default(100),
    }),
    output: z.array(BlockedKey),
  },
  redrive: {
    summary: 'Let a parked key be tried again, or all of a subscription',
    input: z.object({ subscription: Name, key: z.string().max(1_000).optional(), reason: Reason }),
    output: z.object({ keys: Count }),
    errors: { unknown_subscription: unknownSubscription },
  },
  skip: {
    summary: 'Give up the event that blocks a key, or the versions that are missing before it',
    input: z.object({ subscription: Name, key: z.string().max(1_000), eventId: z.uuid(), reason: Reason }),
    output: z.object({ eventId: z.string().nullable(), missing: Count }),
    errors: {
      unknown_subscription: unknownSubscription,
      not_next: problem(409, 'Another event of this key is next by now, or none is blocked'),
    },
  },
  replay: {
    summary: 'Handle again what was published since a time',
    description:
      'What waits or is parked is given up: it comes again. Effects run again under the keys that they had. A time later than something that has not been handled is refused.',
    input: z.object({
      subscription: Name,
      since: Moment.optional().describe('Default: everything that is kept'),
      reason: Reason,
    }),
    output: z.object({ generation: z.int(), givenUpWaiting: Count, givenUpParkedKeys: Count }),
    errors: {
      unknown_subscription: unknownSubscription,
      passes_over: problem(409, 'From that time on, events that have not been handled would not come again'),
    },
  },
  sagas: {
    summary: 'Instances of sagas: what each waits for, and since when; newest first',
    input: z.object({
      saga: Name.optional(),
      key: z.string().max(1_000).optional(),
      state: z.enum(['unfinished', 'stuck', 'ended', 'all']).default('unfinished'),
      before: Moment.optional().describe('Only those that started before'),
      limit: z.int().min(1).max(500).default(100),
    }),
    output: z.array(Saga),
  },
  saga: {
    summary: 'One instance, and what happened to it',
    input: byId,
    output: z.object({ saga: Saga, timeline: z.array(SagaLine) }),
    errors: { unknown_saga: unknownSaga },
  },
  retrySaga: {
    summary: 'Let an instance try again now what it waits to try, or was stuck with',
    input: byId,
    errors: {
      unknown_saga: unknownSaga,
      not_waiting: problem(409, 'It has not begun or has ended, or it is being worked on at this moment'),
    },
  },
  cancelSaga: {
    summary: 'Undo an instance, if it is before its pivot',
    input: byId.extend({ reason: Reason }),
    errors: {
      unknown_saga: unknownSaga,
      past_pivot: problem(409, 'It is past its pivot: there is no way back'),
      ended: problem(409, 'It has ended'),
    },
  },
  resolveSaga: {
    summary: 'Go on with a stuck instance as people decide',
    input: byId.extend({
      how: z
        .enum(['skip', 'undone', 'continue'])
        .describe(
          'skip: this step counts as done. undone: all of it does. continue: the step begins anew, under new keys',
        ),
      reason: Reason,
    }),
    errors: {
      unknown_saga: unknownSaga,
      not_stuck: problem(409, 'It is not stuck'),
      other_version: problem(
        409,
        'The code that runs does not know the version under which it began; deploy code that does',
      ),
    },
  },
  jobs: { summary: 'Its jobs: when each is due, and how its last runs went', output: z.array(Job) },
  runJob: {
    summary: 'Make a job due now, in place of its next tick',
    input: z.object({ name: Name }),
    errors: { unknown_job: problem(404, 'The service has no such job') },
  },
} as const

import { z } from 'zod'
import { contract, get, post, problem, scopes } from '../contract/index.ts'
import { specs } from '../service/operator/operations.ts'

const service = { service: z.string().min(1).max(64) }
const forOperators = { access: scopes('operator') } as const
const errors = { unknown_service: problem(404, 'The system has no such service, or it has no store') }

/**
 * The events, sagas and jobs of each service for operators. Served on 127.0.0.1 only, beside the contract `admin`, with
 * the same token.
 */
export const adminOperatedContract = contract('admin-operated', {
  version: '1.0.0',
  owner: 'platform',
  summary: 'Events, sagas and jobs of each service.',
  operations: {
    streams: get('/services/{service}/streams', {
      ...specs.streams,
      ...forOperators,
      input: z.object(service),
      errors,
    }),
    subscriptions: get('/services/{service}/subscriptions', {
      ...specs.subscriptions,
      ...forOperators,
      input: z.object(service),
      errors,
    }),
    blocked: get('/services/{service}/blocked-keys', {
      ...specs.blocked,
      ...forOperators,
      input: specs.blocked.input.extend(service),
      errors,
    }),
    redrive: post('/services/{service}/redrive', {
      ...specs.redrive,
      ...forOperators,
      input: specs.redrive.input.extend(service),
      errors: { ...specs.redrive.errors, ...errors },
    }),
    skip: post('/services/{service}/skip', {
      ...specs.skip,
      ...forOperators,
      input: specs.skip.input.extend(service),
      errors: { ...specs.skip.errors, ...errors },
    }),
    replay: post('/services/{service}/replay', {
      ...specs.replay,
      ...forOperators,
      input: specs.replay.input.extend(service),
      errors: { ...specs.replay.errors, ...errors },
    }),
    sagas: get('/services/{service}/sagas', {
      ...specs.sagas,
      ...forOperators,
      input: specs.sagas.input.extend(service),
      errors,
    }),
    saga: get('/services/{service}/sagas/{id}', {
      ...specs.saga,
      ...forOperators,
      input: specs.saga.input.extend(service),
      errors: { ...specs.saga.errors, ...errors },
    }),
    retrySaga: post('/services/{service}/sagas/{id}/retry', {
      ...specs.retrySaga,
      ...forOperators,
      input: specs.retrySaga.input.extend(service),
      errors: { ...specs.retrySaga.errors, ...errors },
    }),
    cancelSaga: post('/services/{service}/sagas/{id}/cancel', {
      ...specs.cancelSaga,
      ...forOperators,
      input: specs.cancelSaga.input.extend(service),
      errors: { ...specs.cancelSaga.errors, ...errors },
    }),
    resolveSaga: post('/services/{service}/sagas/{id}/resolve', {
      ...specs.resolveSaga,
      ...forOperators,
      input: specs.resolveSaga.input.extend(service),
      errors: { ...specs.resolveSaga.errors, ...errors },
    }),
    jobs: get('/services/{service}/jobs', { ...specs.jobs, ...forOperators, input: z.object(service), errors }),
    runJob: post('/services/{service}/jobs/{name}/run', {
      ...specs.runJob,
      ...forOperators,
      input: specs.runJob.input.extend(service),
      errors: { ...specs.runJob.errors, ...errors },
    }),
  },
})

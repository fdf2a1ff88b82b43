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
    jobs: get('/services/{service}/jobs', { ...specs.jobs, ...forOperators, input: z.object(service), errors }),
    runJob: post('/services/{service}/jobs/{name}/run', {
      ...specs.runJob,
      ...forOperators,
      input: specs.runJob.input.extend(service),
      errors: { ...specs.runJob.errors, ...errors },
    }),
  },
})

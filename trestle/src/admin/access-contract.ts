import { contract, del, get, patch, post, problem, put, scopes } from '../contract/index.ts'
import { specs } from '../gateway/access/operator-operations.ts'

const forOperators = { access: scopes('operator') } as const
const errors = { keys_unused: problem(404, 'The gateway of this system uses neither keys nor plans') }

/** Keys, plans and usage for operators. Served on 127.0.0.1 only, beside the contract `admin`, with the same token. */
export const adminAccessContract = contract('admin-access', {
  version: '1.0.0',
  owner: 'platform',
  summary: "The gateway's keys, plans and usage.",
  operations: {
    createKey: post('/keys', {
      ...specs.createKey,
      ...forOperators,
      created: true,
      errors: { ...specs.createKey.errors, ...errors },
    }),
    listKeys: get('/keys', { ...specs.listKeys, ...forOperators, errors: { ...specs.listKeys.errors, ...errors } }),
    findKey: get('/keys/{id}', { ...specs.findKey, ...forOperators, errors: { ...specs.findKey.errors, ...errors } }),
    updateKey: patch('/keys/{id}', {
      ...specs.updateKey,
      ...forOperators,
      errors: { ...specs.updateKey.errors, ...errors },
    }),
    rotateKey: post('/keys/{id}/rotate', {
      ...specs.rotateKey,
      ...forOperators,
      errors: { ...specs.rotateKey.errors, ...errors },
    }),
    revokeKey: del('/keys/{id}', {
      ...specs.revokeKey,
      ...forOperators,
      errors: { ...specs.revokeKey.errors, ...errors },
    }),
    listPlans: get('/plans', { ...specs.listPlans, ...forOperators, errors }),
    putPlan: put('/plans/{name}', {
      ...specs.putPlan,
      ...forOperators,
      errors: { ...specs.putPlan.errors, ...errors },
    }),
    removePlan: del('/plans/{name}', {
      ...specs.removePlan,
      ...forOperators,
      errors: { ...specs.removePlan.errors, ...errors },
    }),
    usage: get('/usage', { ...specs.usage, ...forOperators, errors: { ...specs.usage.errors, ...errors } }),
  },
})

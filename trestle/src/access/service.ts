import { changes, forgetChanges } from './changes.ts'
import { impl } from './implementation.ts'
import { revokeKey, rotateKey, updateKey } from './keys/change-key.ts'
import { createKey } from './keys/create-key.ts'
import { forgetSecrets } from './keys/forget-secrets.ts'
import { lookUpKey } from './keys/look-up-key.ts'
import { findKey, listKeys } from './keys/read-keys.ts'
import { declarePlans, listPlans, putPlan, removePlan } from './plans/plan-handlers.ts'
import { forgetQuotas, leaseQuota, returnQuota } from './quota/quota-handlers.ts'
import { forgetRates, takeRate } from './rates/take-rate.ts'
import { usage } from './usage/read-usage.ts'
import { recordUsage } from './usage/record-usage.ts'
import { rollUpUsage } from './usage/roll-up-usage.ts'

/** The service of keys, plans, quotas and usage: placed beside a gateway that needs it, with a database of its own. */
export default impl.service({
  handlers: {
    createKey,
    listKeys,
    findKey,
    updateKey,
    rotateKey,
    revokeKey,
    listPlans,
    putPlan,
    removePlan,
    declarePlans,
    usage,
    recordUsage,
    lookUpKey,
    changes,
    leaseQuota,
    returnQuota,
    takeRate,
  },
  jobs: [
    impl.every('1 hour', 'roll-up-usage', ({ store, now }) => rollUpUsage(store.db, now())),
    impl.every('10 minutes', 'forget-changes', ({ store, now }) => forgetChanges(store.db, now())),
    impl.every('1 minute', 'forget-rates', ({ store }) => forgetRates(store.db)),
    impl.every('1 hour', 'forget-secrets', ({ store, now }) => forgetSecrets(store.db, now())),
    impl.every('1 hour', 'forget-quotas', ({ store, now }) => forgetQuotas(store.db, now())),
  ],
})

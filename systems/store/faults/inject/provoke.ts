import type { Stage } from '../stage.ts'

// Crash points that visitors seldom bring about: what has to be done so that they are passed.

/** An operator takes a checkout back that is on its way. */
async function cancelCheckout({ store }: Stage): Promise<void> {
  const [open] = await store.operator.sagas('orders', 'checkout')
  if (open !== undefined) await store.operator.cancelSaga('orders', open.id)
}

/** A store that opens sees to its partitions. */
async function startAnew({ store, topology }: Stage): Promise<void> {
  if (topology === 'split') return await store.operator.act('restart', 'carts')
  await store.stop()
  await store.ensure()
}

/** A job is run that writes to its database: by themselves few come due in the time of a run. */
async function runJob({ store }: Stage): Promise<void> {
  await store.operator.runJob('inventory', 'release-expired')
}

/** By crash point. */
export const provocations: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  'saga.before-cancel': cancelCheckout,
  'saga.after-cancel': cancelCheckout,
  'job.before-note': runJob,
  'job.before-commit': runJob,
  'job.after-commit': runJob,
  'outbox.before-upkeep': startAnew,
  'outbox.after-upkeep': startAnew,
}

import { implement } from 'trestle/service'
import { postgres } from 'trestle/store'
import { switchesAreOn } from '../development.ts'
import { switches } from './contract.ts'
import type { SwitchesTables } from './tables.ts'

const impl = implement(switches, {
  store: postgres<SwitchesTables>({ migrations: new URL('./migrations/', import.meta.url) }),
})

const on = switchesAreOn()

const nothing = {
  decline_authorizations: 0,
  decline_captures: 0,
  declined_payers: [] as string[],
  time_out_authorizations: 0,
  time_out_captures: 0,
  time_out_refunds: 0,
  webhooks_late_ms: 0,
  webhooks_repeated: 0,
  webhooks_reordered_ms: 0,
}
const columns = Object.keys(nothing) as (keyof typeof nothing)[]

const read = impl.handler('read', async ({ store, fail }) => {
  if (!on) return fail('switches_off')
  return await store.db.selectFrom('switches').select(columns).executeTakeFirstOrThrow()
})

const set = impl.handler('set', async ({ input, store, fail }) => {
  if (!on) return fail('switches_off')
  const to = { ...input, deliveries: 0 }
  return await store.db.updateTable('switches').set(to).returning(columns).executeTakeFirstOrThrow()
})

const reset = impl.handler('reset', async ({ store, fail }) => {
  if (!on) fail('switches_off')
  await store.db
    .updateTable('switches')
    .set({ ...nothing, deliveries: 0 })
    .execute()
})

const declineColumn = { authorize: 'decline_authorizations', capture: 'decline_captures' } as const

const take = impl.handler('take', async ({ input, store }) => {
  if (!on) return { declined: false }
  const { payment_id, step, payer } = input
  return await store.transaction(async ({ db }) => {
    const stand = await db.selectFrom('switches').selectAll().forUpdate().executeTakeFirstOrThrow()
    const before = await db
      .selectFrom('answers')
      .select('declined')
      .where('payment_id', '=', payment_id)
      .where('step', '=', step)
      .executeTakeFirst()
    if (before !== undefined) return before
    const left = stand[declineColumn[step]]
    const byName = payer.some((name) => stand.declined_payers.includes(name))
    if (!byName && left > 0) {
      await db
        .updateTable('switches')
        .set({ [declineColumn[step]]: left - 1 })
        .execute()
    }
    const declined = byName || left > 0
    await db.insertInto('answers').values({ payment_id, step, declined }).execute()
    return { declined }
  })
})

const timeOutColumn = {
  authorize: 'time_out_authorizations',
  capture: 'time_out_captures',
  refund: 'time_out_refunds',
} as const

const takeTimeOut = impl.handler('takeTimeOut', async ({ input, store }) => {
  if (!on) return { withheld: false }
  const column = timeOutColumn[input.step]
  const taken = await store.db
    .updateTable('switches')
    .set((row) => ({ [column]: row(column, '-', 1) }))
    .where(column, '>', 0)
    .executeTakeFirst()
  return { withheld: taken.numUpdatedRows > 0n }
})

const takeDelivery = impl.handler('takeDelivery', async ({ store }) => {
  if (!on) return { late_ms: 0, repeated: 0 }
  const stand = await store.db
    .updateTable('switches')
    .set((row) => ({ deliveries: row('deliveries', '+', 1) }))
    .returningAll()
    .executeTakeFirstOrThrow()
  const heldUp = stand.deliveries % 2 === 1 ? stand.webhooks_reordered_ms : 0
  return { late_ms: stand.webhooks_late_ms + heldUp, repeated: stand.webhooks_repeated }
})

export default impl.service({ handlers: { read, set, reset, take, takeTimeOut, takeDelivery } })

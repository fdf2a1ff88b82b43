import type { SourceChange } from 'trestle/testing'
import type { TopologyName } from './stage.ts'

/** A mistake that is put into the code on purpose: the checker must see it. */
export interface Defect {
  readonly name: string
  /** What goes wrong with it. */
  readonly about: string
  readonly changes: readonly SourceChange[]
  /** Where it is shown. */
  readonly topology: TopologyName
  /** Gates that are open, with the probability. What a defect needs to show comes often here. */
  readonly gates: Readonly<Record<string, number>>
  /** What else must happen, again and again while visitors come. */
  readonly scenario?: 'halt the owner of sagas' | undefined
}

function changesOf(name: string, changes: readonly Omit<SourceChange, 'name'>[]): readonly SourceChange[] {
  return changes.map((change, index) => ({ name: `${name} ${index + 1}`, ...change }))
}

const inventory = 'systems/store/inventory/reservations.ts'
const arrival = 'service/subscriptions/handle-on-arrival.ts'
const feed = 'store/outbox/feed-rows.ts'
const journal = 'saga/journal.ts'
const checkout = 'systems/store/orders/checkout.ts'

/** All of them, by name. */
export const defects: readonly Defect[] = [
  {
    name: 'inbox-off',
    about: 'an event that comes twice is handled twice',
    topology: 'merged',
    gates: { 'events handed over twice': 0.7 },
    changes: changesOf('inbox-off', [
      {
        file: arrival,
        find: 'const ready = runs.filter((run) => mayAdvance(run, base))\n    const moved = await advanceKeys(tx.db, of, ready)',
        put: 'const moved = new Set(runs.map(({ key }) => key))',
      },
      { file: arrival, find: 'insertHandled(tx.db, of, wanted).catch', put: 'Promise.resolve().catch' },
    ]),
  },
  {
    name: 'non-atomic-stock',
    about: 'stock is read, and written a moment later as it was then',
    topology: 'merged',
    gates: {},
    changes: changesOf('non-atomic-stock', [
      {
        file: inventory,
        find: 'firstShort(wanted, await stockOf(db, wanted).forUpdate().execute())',
        put: 'firstShort(wanted, await stockOf(db, wanted).execute())',
      },
      {
        file: inventory,
        find: "    .orderBy('sku')\n    .forUpdate()\n    .execute()\n}\n\nasync function shift",
        put: "    .orderBy('sku')\n    .execute()\n}\n\nasync function shift",
      },
      {
        file: inventory,
        find: "{\n  await db\n    .updateTable('stock')\n    .from('reservation_lines as line')",
        put: `{
  const lines = await db.selectFrom('reservation_lines').selectAll().where('order_id', '=', orderId).execute()
  for (const line of lines) {
    const before = await db.selectFrom('stock').selectAll().where('sku', '=', line.sku).executeTakeFirstOrThrow()
    await new Promise((resolve) => setTimeout(resolve, 30))
    await db
      .updateTable('stock')
      .set({
        reserved: before.reserved + sign.reserved * line.quantity,
        on_hand: before.on_hand + sign.onHand * line.quantity,
      })
      .where('sku', '=', line.sku)
      .execute()
  }
  if (lines.length >= 0) return
  await db
    .updateTable('stock')
    .from('reservation_lines as line')`,
      },
    ]),
  },
  {
    name: 'refund-missing',
    about: 'who cancels does not get the money back',
    topology: 'merged',
    gates: {},
    changes: changesOf('refund-missing', [
      {
        file: 'systems/store/orders/cancellation.ts',
        find: 'call.payments.refund({ orderId: event.id })',
        put: 'call.payments.find({ orderId: event.id })',
      },
    ]),
  },
  {
    name: 'fencing-off',
    about: 'who slept while another took over still decides',
    topology: 'split',
    gates: {},
    scenario: 'halt the owner of sagas',
    changes: [
      // What makes it matter within seconds: leases and steps that are soon over. It is no defect by itself.
      ...changesOf('short leases', [
        { file: 'saga/engine.ts', find: '  leaseMs: 10_000,', put: '  leaseMs: 1_500,' },
        {
          file: checkout,
          find: '    run: ({ event, call }) => call.payments.authorise({ orderId: event.id }),\n',
          put: '    timeoutMs: 2_000,\n    run: ({ event, call }) => call.payments.authorise({ orderId: event.id }),\n',
        },
      ]),
      ...changesOf('fencing-off', [
        {
          file: journal,
          find: '\n  and (s.fence, s.revision) is not distinct from (t.fence, t.revision)\n  and (t.unless_arrived',
          put: '\n  and (t.unless_arrived',
        },
        {
          file: journal,
          find: 'returning s.id, s.owner is not null as kept, case',
          put: 'returning s.id, (t.keep is true or s.owner is not null) as kept, case',
        },
        {
          file: journal,
          find: 'tries integer, began_at timestamptz, at timestamptz)`',
          put: 'tries integer, began_at timestamptz, at timestamptz) where not exists (select from trestle.saga_steps e where e.saga = l.saga and e.n = l.n)`',
        },
        { file: journal, find: ' where saga in (select id from u)\n', put: ' and saga in (select id from u)\n' },
        { file: 'saga/engine.ts', find: ' && owner === this.#ownership.name) {', put: ' && owner !== undefined) {' },
      ]),
    ],
  },
  {
    name: 'outbox-by-sequence',
    about: 'events are read in the order of their numbers, not of the certainty of what comes before',
    topology: 'merged',
    gates: { 'late commit': 0.5 },
    changes: changesOf('outbox-by-sequence', [
      {
        file: feed,
        find: "'select * from trestle.read_feed($1, $2::bigint, $3::xid8, $4::bigint, $5::text[], $6, $7::bigint)'",
        put: `\`select f.f_epoch, f.f_xid, f.f_held, f.f_dropped, f.f_ahead, o.*
from trestle.read_feed($1, $2::bigint, $3::xid8, $4::bigint, $5::text[], 0, $7::bigint) f left join lateral (
  select o.epoch, o.feed_xid, o.seq, o.id, o.type, o.version, o.key, o.key_version, o.occurred_at, o.traceparent,
    case when $5::text[] is null or o.type = any ($5::text[]) then o.payload end as payload
  from trestle.outbox o
  where o.stream = $1 and o.seq > $4::bigint
  order by o.seq
  limit $6
) o on true\``,
      },
      {
        file: 'store/outbox/feed-position.ts',
        find: 'return a.epoch - b.epoch || compareDecimals(a.xid, b.xid) || compareDecimals(a.seq, b.seq)',
        put: 'return compareDecimals(a.seq, b.seq)',
      },
    ]),
  },
]

import { implement } from 'trestle/service'
import { postgres, sql, type Tx } from 'trestle/store'
import { bulk, consumer, lone } from './contracts.ts'

interface Tables {
  totals: { way: string; events: number }
}

const impl = implement(consumer, {
  store: postgres<Tables>({ migrations: new URL('./migrations-consumer/', import.meta.url) }),
})

const latenciesMax = 200_000
let latenciesMs: number[] = []
let events = 0

/** Noted when the handler has run; its commit, one flight later, is not in it. */
function note(ats: readonly number[]): void {
  const now = performance.timeOrigin + performance.now()
  events += ats.length
  for (const at of ats) if (latenciesMs.length < latenciesMax) latenciesMs.push(now - at)
}

async function count(tx: Tx<Tables>, way: string, by: number): Promise<void> {
  await sql`insert into totals as t (way, slot, events) values (${way}, ${Math.floor(Math.random() * 64)}, ${by})
    on conflict (way, slot) do update set events = t.events + excluded.events`.execute(tx.db)
}

export default impl.service({
  handlers: {
    async handled({ input, store }) {
      const { rows } = await sql<{ total: string }>`select coalesce(sum(events), 0) as total from totals`.execute(
        store.db,
      )
      const answer = { events, total: Number(rows[0]?.total), latenciesMs }
      if (input.reset) {
        events = 0
        latenciesMs = []
      }
      return answer
    },
  },
  on: [
    impl.on(
      bulk.events.placed,
      async ({ events: batch, tx }) => {
        await count(tx, 'bulk', batch.length)
        note(batch.map(({ event }) => event.at))
      },
      { batch: 1_000 },
    ),
    impl.on(lone.events.placed, async ({ event, tx }) => {
      await count(tx, 'lone', 1)
      note([event.at])
    }),
  ],
})

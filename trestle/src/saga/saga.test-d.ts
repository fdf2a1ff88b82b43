import { callee, checkout, orders } from './fixtures/shop.ts'
import { saga } from './define-saga.ts'
import type { Cancelled, Failure } from './saga.ts'
import type { Tx } from '../store/store.ts'

/** Checked by `tsc` only: what the builder knows, and what it refuses. */
declare const tx: Tx<unknown>
const start = { on: orders.events.placed, uses: { callee } }
const same = <T>(_value: T): void => undefined

saga('typed', start)
  .step('first', {
    async run({ event, call, results, key, fail }) {
      same<{ id: string; total: number }>(event)
      same<string>(key)
      // @ts-expect-error -- nothing has run before the first step
      same(results.first)
      if (event.total < 0) return fail('negative')
      const { did } = await call.callee.a({ id: event.id })
      return { did, cents: event.total * 100 }
    },
    undo: async (args) => {
      same<{ id: string }>(args.event)
      // @ts-expect-error -- after a time-out nobody knows them: an undo works by business key
      same(args.results)
      // @ts-expect-error -- an undo has nothing to fall back to
      same(args.fail)
    },
  })
  .waitFor('delivered', callee.events.delivered, { timeoutMs: 1_000 })
  .write('note', async ({ results }) => {
    same<{ did: string; cents: number }>(results.first)
    same<string>(results.delivered.how)
    return results.first.cents
  })
  .whenUndone(async ({ failure }) => same<Failure>(failure))

saga('refused', start).step('charge', {
  // @ts-expect-error -- not idempotent: its type says why it cannot be called
  run: ({ event, call }) => call.callee.charge({ id: event.id }),
})

saga('refused', start).pivot('a', {
  run: ({ event, call }) => call.callee.a({ id: event.id }),
  // @ts-expect-error -- a pivot cannot be undone
  undo: async () => undefined,
})

// @ts-expect-error -- how long to wait must be said
saga('refused', start).waitFor('delivered', callee.events.delivered, {})

same<Promise<{ readonly started: boolean }>>(checkout.start(tx, { id: 'o1', total: 1 }))
same<Promise<Cancelled>>(checkout.cancel(tx, 'o1', 'asked for'))
// @ts-expect-error -- it starts with what its event carries
void checkout.start(tx, { id: 'o1' })

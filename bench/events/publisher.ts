import { implement } from 'trestle/service'
import { postgres, type Store } from 'trestle/store'
import { bulk, lone, publisher, type Way } from './contracts.ts'

interface Tables {
  nothing: { only_row: boolean }
}

const impl = implement([publisher, bulk, lone], {
  store: postgres<Tables>({ migrations: new URL('./migrations-publisher/', import.meta.url) }),
})

const now = () => performance.timeOrigin + performance.now()
const eventOf = { bulk: bulk.events.placed, lone: lone.events.placed }

function publish(store: Store<Tables>, way: Way, ids: readonly string[], at: number): Promise<void> {
  return store.transaction(async (tx) => {
    for (const id of ids) {
      const lines = [
        { sku: 'lamp-1', quantity: 1, cents: 4_900 },
        { sku: 'bulb-3', quantity: 4, cents: 350 },
      ]
      tx.publish(eventOf[way], { id, at, customer: 'c-1', lines })
    }
  })
}

export default impl.service({
  handlers: [
    {
      alive: async () => ({}),
      async flood({ input: { way, events, perTransaction, atOnce, run }, store }) {
        const ids = Array.from({ length: events }, (_, n) => `${run}-${n}`)
        const one = async () => {
          for (let some = ids.splice(-perTransaction); some.length > 0; some = ids.splice(-perTransaction)) {
            await publish(store, way, some, now())
          }
        }
        await Promise.all(Array.from({ length: atOnce }, one))
      },
      async drip({ input: { way, perSecond, seconds, run }, store }) {
        const events = Math.max(1, Math.round(perSecond * seconds))
        const beganAt = now()
        const running = new Set<Promise<void>>()
        let lateMs = 0
        for (let n = 0; n < events; ) {
          const due = Math.min(events, Math.floor(((now() - beganAt) / 1_000) * perSecond) + 1)
          for (; n < due; n += 1) {
            const at = beganAt + (n / perSecond) * 1_000
            lateMs = Math.max(lateMs, now() - at)
            const done = publish(store, way, [`${run}-${n}`], at).finally(() => running.delete(done))
            running.add(done)
          }
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
        await Promise.all(running)
        return { events, lateMs }
      },
    },
    {},
    {},
  ],
})

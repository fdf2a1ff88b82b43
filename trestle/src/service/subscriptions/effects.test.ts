import { describe, expect, it } from 'vitest'
import type { CallContext } from '../../call/call-context.ts'
import type { Delivery, SubscriptionArgs, SubscriptionDefinition } from '../../store/inbox/subscription.ts'
import type { Store } from '../../store/store.ts'
import { type InboxHarness, useInboxHarness, type InboxTables, moveOf, moves } from './fixtures/inbox-harness.ts'
import { listBlocked, replay } from './operate.ts'

interface Extras {
  readonly key: string
  readonly newId: () => string
  readonly store: Store<InboxTables>
  readonly signal: AbortSignal
  readonly call: { readonly context: CallContext }
}

type Do = (move: InboxTables['effects'], extras: Extras) => Promise<unknown>

function effect(work: Do, more: Partial<SubscriptionDefinition> = {}): SubscriptionDefinition {
  return {
    name: 'moves',
    events: [moves.events.moved],
    mode: 'effect',
    batchMax: 1,
    from: 'earliest',
    triesMax: 3,
    concurrencyMax: 4,
    async run([delivery]: readonly Delivery[], { more: extras }: SubscriptionArgs) {
      await work(delivery?.event as InboxTables['effects'], extras as Extras)
    },
    ...more,
  }
}

const writeOne: Do = ({ key, n }, { store }) =>
  store.transaction((tx) => tx.db.insertInto('effects').values({ key, n }).execute())

describe('effects of events', () => {
  let harness: InboxHarness
  useInboxHarness((made) => (harness = made))

  it('are tried again under the same key, with the same ids and the same keys for their calls', async () => {
    const seen: unknown[] = []
    const definition = effect(async (_, { key, newId, call }) => {
      const { once } = call.context
      seen.push([key, newId(), newId(), once?.keyFor('mail.send'), once?.keyFor('mail.send')])
      if (seen.length < 3) throw new Error('not yet')
    })
    const { bus, running } = await harness.start([definition], { callsFor: (context) => ({ context }) })
    await bus.consumer('moves').sink.accept([moveOf('a', 1)], undefined)
    await expect.poll(() => seen.length).toBe(3)
    await expect.poll(() => running.handled()).toBe(1)
    expect(new Set(seen.map((each) => JSON.stringify(each))).size).toBe(1)
    const [, first, second, firstKey, secondKey] = seen[0] as string[]
    expect(first).not.toBe(second)
    expect(firstKey).not.toBe(secondKey)
    await replay(harness.store, { subscription: 'moves', sinceMs: undefined, reason: 'again' })
    await running.poll()
    await running.poll()
    await bus.consumer('moves').sink.accept([moveOf('a', 1)], undefined)
    await expect.poll(() => seen.length).toBe(4)
    expect(seen[3]).toEqual(seen[0])
  })

  it('note that they are done in their one transaction: what fails after it is not tried again', async () => {
    let tries = 0
    const definition = effect(async (move, extras) => {
      tries += 1
      await writeOne(move, extras)
      throw new Error('too late')
    })
    const { bus, running } = await harness.start([definition])
    await bus.consumer('moves').sink.accept([moveOf('a', 1), moveOf('a', 2)], undefined)
    await expect.poll(() => running.handled()).toBe(2)
    expect(tries).toBe(2)
    expect(await harness.effects()).toEqual([1, 2].map((n) => ({ key: 'a', n })))
    expect(harness.logs.map(({ message }) => message)).toContain(
      'a handler failed after its transaction; the event counts as handled',
    )
  })

  it('may open no second transaction', async () => {
    const codes: unknown[] = []
    const definition = effect(async (move, extras) => {
      await writeOne(move, extras)
      await writeOne(move, extras).catch((error: { code?: unknown }) => codes.push(error.code))
    })
    const { bus, running } = await harness.start([definition])
    await bus.consumer('moves').sink.accept([moveOf('a', 1)], undefined)
    await expect.poll(() => running.handled()).toBe(1)
    expect(codes).toEqual(['second_transaction'])
    expect(await harness.effects()).toEqual([{ key: 'a', n: 1 }])
  })

  it('whose claim ran out can note nothing: another process has done them', async () => {
    const gate = Promise.withResolvers<void>()
    const slow = effect(
      async (move, extras) => {
        await gate.promise
        await writeOne(move, extras)
      },
      { concurrencyMax: 1 },
    )
    // Its renewals come too late, as those of a process that was stopped.
    const first = await harness.start([slow], { process: 'p1', limits: { claimMs: 60_000, pollMs: 60_000 } })
    await first.bus.consumer('moves').sink.accept([moveOf('a', 1)], undefined)
    const due = async () => {
      const { sql } = await import('kysely')
      const { rows } = await sql`update trestle.inbox_keys set next_at = now() where fence = 1 returning 1`.execute(
        harness.store.db,
      )
      return rows.length
    }
    await expect.poll(due).toBe(1)
    const second = await harness.start([effect(writeOne)], { process: 'p2' })
    await expect.poll(() => second.running.handled()).toBe(1)
    gate.resolve()
    await first.running.stop()
    expect(await harness.effects()).toEqual([{ key: 'a', n: 1 }])
    expect(await listBlocked(harness.store)).toEqual([])
  })

  it('are told to stop when they take too long, and count as failed', async () => {
    let told: unknown
    const definition = effect(
      async (_, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        told = signal.reason
        await new Promise(() => undefined)
      },
      { triesMax: 1 },
    )
    const { bus } = await harness.start([definition], { limits: { effectTimeoutMs: 20 } })
    await bus.consumer('moves').sink.accept([moveOf('a', 1)], undefined)
    await expect.poll(async () => (await listBlocked(harness.store)).length).toBe(1)
    const [parked] = await listBlocked(harness.store)
    expect(parked?.reason).toBe('Error: handling took longer than 20 ms')
    expect(String(told)).toBe('Error: handling took longer than 20 ms')
  })

  it('run side by side, so many of different keys, and one of each key', async () => {
    const gate = Promise.withResolvers<void>()
    const running = new Set<string>()
    let most = 0
    const definition = effect(
      async ({ key }) => {
        if (running.has(key)) throw new Error('two at once of one key')
        running.add(key)
        most = Math.max(most, running.size)
        await gate.promise
        running.delete(key)
      },
      { concurrencyMax: 3 },
    )
    const started = await harness.start([definition])
    const events = ['a', 'b', 'c', 'd', 'e'].flatMap((key) => [moveOf(key, 1), moveOf(key, 2)])
    await started.bus.consumer('moves').sink.accept(events, undefined)
    await expect.poll(() => running.size).toBe(3)
    gate.resolve()
    await expect.poll(() => started.running.handled(), { timeout: 5_000 }).toBe(10)
    expect(most).toBe(3)
    expect(await listBlocked(harness.store)).toEqual([])
  })
})

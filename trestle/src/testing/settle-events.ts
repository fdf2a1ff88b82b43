import { sql } from 'kysely'
import type { RunningSagas } from '../saga/start-sagas.ts'
import type { RunningSubscriptions } from '../service/subscriptions/start-subscriptions.ts'
import type { OpenStore } from '../store/store.ts'

/** A service of a test whose events are waited for. */
export interface SettlingService {
  readonly name: string
  readonly store: OpenStore<unknown>
  readonly subscriptions: RunningSubscriptions | undefined
  readonly sagas: RunningSagas | undefined
}

/** Longest wait, milliseconds. */
const settleTimeoutMs = 30_000
const lookMs = 5

interface Place {
  readonly name: string
  readonly stream: string
  readonly epoch: string | null
  readonly xid: string | null
  readonly seq: string | null
  readonly waiting: boolean
}

/**
 * Resolves when everything that has been published is handled, also what was published while it was handled, and sagas have
 * come to their ends or to something that they wait for. Parked keys do not count: nothing will become of them.
 * @param owners stream -> the store of the service that publishes it
 * @throws Error that names what is still to be handled after 30 s
 */
export async function settleEvents(
  services: readonly SettlingService[],
  owners: ReadonlyMap<string, OpenStore<unknown>>,
): Promise<void> {
  const until = performance.now() + settleTimeoutMs
  let quietAt: number | undefined
  for (;;) {
    await Promise.all(services.map(async ({ sagas }) => sagas?.settled()))
    const handled = services.reduce((sum, { subscriptions }) => sum + (subscriptions?.handled() ?? 0), 0)
    const open = await whatIsOpen(services, owners)
    // Twice nothing, and nothing handled in between: what one handler published, another one may have seen too early.
    if (open.length === 0 && quietAt === handled) return
    quietAt = open.length === 0 ? handled : undefined
    if (performance.now() > until) throw new Error(`not handled after ${settleTimeoutMs} ms: ${open.join(', ')}`)
    if (open.length > 0) await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}

async function whatIsOpen(
  services: readonly SettlingService[],
  owners: ReadonlyMap<string, OpenStore<unknown>>,
): Promise<readonly string[]> {
  const open: string[] = []
  for (const { name, store, subscriptions, sagas } of services) {
    if ((sagas?.asleep() ?? 0) > 0) open.push(`sagas of ${name} (a step is tried again)`)
    if (subscriptions === undefined) continue
    for (const place of await placesOf(store)) {
      const publisher = owners.get(place.stream)
      const unread = publisher !== undefined && (await isBehind(publisher, place))
      if (place.waiting || unread) open.push(`${place.name} of ${name} (${place.waiting ? 'waiting' : 'not read yet'})`)
    }
  }
  return open
}

async function placesOf(store: OpenStore<unknown>): Promise<readonly Place[]> {
  const { rows } = await sql<Place>`
    select s.name, s.stream, s.epoch::text, s.xid::text, s.seq::text, exists (
      select from trestle.inbox i
      join trestle.inbox_keys k on (k.subscription, k.generation, k.key) = (i.subscription, i.generation, i.key)
      where i.subscription = s.id and i.generation = s.generation and i.state = 0 and k.parked_at is null) as waiting
    from trestle.subscriptions s`.execute(store.db)
  return rows
}

/** Counts also what the feed does not show yet because an older transaction is still open. */
async function isBehind(publisher: OpenStore<unknown>, { stream, epoch, xid, seq }: Place): Promise<boolean> {
  const { rows } = await sql<{ behind: boolean }>`
    select exists (
      select from trestle.outbox where stream = ${stream} and (epoch, feed_xid, seq)
        > (${epoch ?? '0'}::bigint, ${xid ?? '0'}::xid8, ${seq ?? '0'}::bigint)) as behind`.execute(publisher.db)
  return rows[0]?.behind === true
}

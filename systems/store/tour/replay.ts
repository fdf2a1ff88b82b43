import { setTimeout as wait } from 'node:timers/promises'
import type { MailServer } from '../testing/mail-server.ts'
import type { RunningStore } from './running-store.ts'
import type { Shopper } from './shopping.ts'
import type { Story } from './story.ts'

const patienceMs = 30_000
const lookEveryMs = 50
const quietLooks = 60

/** Messages that could not be sent while there was no mail server: their events are handled again. */
export async function replayChapter(
  story: Story,
  store: RunningStore,
  { email }: Shopper,
  mailServer: MailServer,
): Promise<void> {
  story.chapter('Replay events: a mail server has come that was not there before')
  const sent = () => mailServer.received.filter(({ to }) => to.includes(email)).length
  const before = sent()
  const reason = ['--reason', 'there was no mail server']
  await store.trestle('events', 'replay', 'notifications', 'orders.settled', ...reason)
  story.say('trestle events replay notifications orders.settled --reason "there was no mail server"')
  await until(() => sent() > before)
  await untilQuiet(sent)
  const first = sent()
  await store.trestle('events', 'replay', 'notifications', 'orders.settled', ...reason)
  await untilQuiet(sent)
  const again = sent()
  story.evidence(
    'events of the past are handled again when they are replayed, and nothing is done twice',
    before === 0 && first > 0 && again === first,
    `${before} messages before, ${first} after, ${again} after another replay`,
  )
}

async function until(reached: () => boolean): Promise<void> {
  const end = performance.now() + patienceMs
  while (!reached() && performance.now() < end) await wait(lookEveryMs)
}

/** Waits until a count has not risen for a while. */
async function untilQuiet(count: () => number): Promise<void> {
  for (let [last, still] = [count(), 0]; still < quietLooks; still++) {
    await wait(lookEveryMs)
    if (count() !== last) [last, still] = [count(), 0]
  }
}

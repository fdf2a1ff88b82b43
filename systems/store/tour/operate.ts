import { setTimeout as wait } from 'node:timers/promises'
import type { RunningStore } from './running-store.ts'
import type { Shopper } from './shopping.ts'
import type { Story } from './story.ts'
import { steadyTraffic, type TrafficReport } from './traffic.ts'

const perSecond = 100
/** How long traffic runs before and after the operation, so that it is seen on both sides. */
const marginMs = 500

/** More replicas of one service while it is in use. */
export async function scaleChapter(story: Story, store: RunningStore, shopper: Shopper): Promise<void> {
  story.chapter(`Scale orders to 3 under ${perSecond} requests a second`)
  const before = await replicas(store)
  const report = await underTraffic(store, shopper, () => store.trestle('scale', 'orders=3'))
  const after = await replicas(store)
  story.say(`trestle scale orders=3: ${before.length} -> ${after.length} processes`)
  story.evidence('scaling fails no request', after.length === 3 && clean(report), summary(report))
}

/** New code of one service while it is in use. */
export async function deployChapter(story: Story, store: RunningStore, shopper: Shopper): Promise<void> {
  story.chapter(`Deploy orders under ${perSecond} requests a second`)
  const before = await replicas(store)
  const report = await underTraffic(store, shopper, () => store.trestle('deploy', 'orders'))
  const after = await replicas(store)
  const replaced = after.length === before.length && after.every((pid) => !before.includes(pid))
  story.say(`trestle deploy orders: pids ${before.join(', ')} -> ${after.join(', ')}`)
  story.evidence('a deploy fails no request', replaced && clean(report), summary(report))
}

async function replicas(store: RunningStore): Promise<readonly number[]> {
  return (await store.ps()).filter(({ service }) => service === 'orders').map(({ pid }) => pid)
}

async function underTraffic(
  store: RunningStore,
  shopper: Shopper,
  operation: () => Promise<unknown>,
): Promise<TrafficReport> {
  const headers = { authorization: `Bearer ${shopper.token}` }
  const stop = steadyTraffic(async (signal) => {
    const response = await fetch(`${store.shop.url}/orders/${shopper.orderId}`, { headers, signal })
    await response.arrayBuffer()
    return response.status
  }, perSecond)
  await wait(marginMs)
  await operation()
  await wait(marginMs)
  return stop()
}

function clean({ asked, failures }: TrafficReport): boolean {
  return asked >= perSecond / 2 && failures.size === 0
}

function summary({ asked, failures, slowestMs }: TrafficReport): string {
  const failed = [...failures].map(([outcome, count]) => `${count} x ${outcome}`).join(', ')
  return `${asked} asked, ${failed === '' ? '0 failed' : failed}, slowest ${slowestMs.toFixed(0)} ms`
}

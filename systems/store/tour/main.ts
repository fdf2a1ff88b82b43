// `npm run tour`: a walk through the running store, as its users and operators see it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { deployChapter, scaleChapter } from './operate.ts'
import { faultChapter, partialChapter } from './faults.ts'
import { geolocationChapter } from './geolocation.ts'
import { standaloneChapter } from './standalone.ts'
import { payingChapters } from './paying.ts'
import { type RunningStore, startStore } from './running-store.ts'
import { startMailServer } from '../testing/mail-server.ts'
import { replayChapter } from './replay.ts'
import { refusalChapter, type Shopper, shoppingChapter } from './shopping.ts'
import { createStory, type Story } from './story.ts'

const products = 20_000

/** Walks through everything; `true` when every promise was kept. A second start may take `startMs` at most. */
export async function tour(story: Story = createStory(), startMs = 3_000): Promise<boolean> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trestle-tour-'))
  try {
    const shopper = await splitPart(story, dataDir)
    await mergedPart(story, { dataDir, shopper, startMs })
    await standaloneChapter(story, dataDir)
    await geolocationChapter(story)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
  return story.close()
}

async function splitPart(story: Story, dataDir: string): Promise<Shopper> {
  story.chapter('Start the store: every service in its own process, with its own database')
  await using store = await startStore({ dataDir, topology: 'split', products })
  const rows = await store.ps()
  const pids = new Set(rows.map(({ pid }) => pid))
  story.say(`ready after ${seconds(store.startMs)} (first start: databases made, ${products} products loaded)`)
  for (const row of rows) story.say(`${row.service.padEnd(12)} pid ${row.pid}  ${row.state}`)
  story.evidence(
    'each service has its own process',
    pids.size === rows.length && rows.length >= 10,
    `${pids.size} processes`,
  )
  const shopper = await shoppingChapter(story, store, 'Shop through the gateway')
  await refusalChapter(story, store)
  await payingChapters(story, store, shopper)
  await faultChapter(story, store, shopper)
  await partialChapter(story, store, shopper)
  await scaleChapter(story, store, shopper)
  await deployChapter(story, store, shopper)
  return shopper
}

async function mergedPart(
  story: Story,
  { dataDir, shopper, startMs }: { readonly dataDir: string; readonly shopper: Shopper; readonly startMs: number },
): Promise<void> {
  story.chapter('Start it again on the same data, this time in one process')
  await using mailServer = await startMailServer()
  const env = { SMTP_URL: mailServer.url }
  await using store: RunningStore = await startStore({ dataDir, topology: 'merged', products, env })
  const pids = new Set((await store.ps()).map(({ pid }) => pid))
  story.say(`ready after ${seconds(store.startMs)}`)
  story.evidence(
    'the same system runs in one process',
    pids.size === 1 && pids.has(store.pid),
    `pid ${[...pids].join(', ')}`,
  )
  story.evidence(`a second start answers within ${startMs / 1_000} s`, store.startMs < startMs, seconds(store.startMs))
  await shoppingChapter(story, store, 'The same order in one process')
  await replayChapter(story, store, shopper, mailServer)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

if (isMainThread && import.meta.main) {
  process.exitCode = (await tour()) ? 0 : 1
}

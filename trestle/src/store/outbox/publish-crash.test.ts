import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { OpenStore } from '../store.ts'
import {
  brief,
  type OutboxFixture,
  publish,
  readNext,
  startOutboxFixture,
  type Tables,
} from './fixtures/outbox-fixture.ts'

const program = fileURLToPath(new URL('./fixtures/publishing-process.ts', import.meta.url))

let fixture: OutboxFixture
let store: OpenStore<Tables>

beforeAll(async () => {
  fixture = await startOutboxFixture()
  store = await fixture.open()
})
afterAll(() => fixture[Symbol.asyncDispose]())

async function run(id: number, place: string): Promise<string | null> {
  const { url } = fixture.connectionOf(store)
  const child = spawn(process.execPath, [program, url, String(id), place], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return signal
}

it('a process that is killed leaves row and event, or neither, and the key goes on without a gap', async () => {
  expect(await run(1, 'outbox.before-commit')).toBe('SIGKILL')
  expect(await run(2, 'outbox.after-commit')).toBe('SIGKILL')
  expect(await run(3, 'nowhere')).toBeNull()
  await publish(store, 'a')
  expect(await store.db.selectFrom('rows').selectAll().orderBy('id').execute()).toEqual([{ id: 2 }, { id: 3 }])
  expect(brief(await readNext(store, 3))).toEqual(['a1 placed', 'a2 placed', 'a3 placed'])
}, 60_000)

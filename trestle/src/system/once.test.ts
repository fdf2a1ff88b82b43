import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { idOf, onceWork } from '../call/once-work.ts'
import { type Arm, faultControl, runners, split, type TestSystem } from '../testing/index.ts'

const purses = new URL('./fixtures/once/system.ts', import.meta.url)

interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly replayed: string | null
  readonly retryAfter: string | null
  readonly body: string
}

async function answerOf(reply: Response): Promise<Answer> {
  const body = await reply.text()
  const isProblem = reply.headers.get('content-type') === 'application/problem+json'
  return {
    status: reply.status,
    code: isProblem ? (JSON.parse(body) as { code: string }).code : undefined,
    replayed: reply.headers.get('idempotency-replayed'),
    retryAfter: reply.headers.get('retry-after'),
    body,
  }
}

/** As a client on the other side of the gateway. */
const clientOf = (system: TestSystem) => ({
  async pay(name: string, { cents = 5, key = name }: { readonly cents?: number; readonly key?: string } = {}) {
    const headers = key === '' ? {} : { 'idempotency-key': key }
    return answerOf(await system.fetch('/payments', { headers, body: { name, cents } }))
  },
  async payments(name: string): Promise<readonly string[]> {
    const reply = await system.fetch(`/payments/${name}`)
    return ((await reply.json()) as { ids: readonly string[] }).ids
  },
})

const derivedFrom = (work: string) => onceWork({ key: work, beganAtMs: 0 }).scope.keyFor('purse.pay')

describe.each(runners)('a request with a key, through the gateway, on the runner %s', (runner) => {
  let system: TestSystem
  let client: ReturnType<typeof clientOf>
  beforeAll(async () => {
    system = await runner.start(purses)
    client = clientOf(system)
  })
  afterAll(() => system.stop())

  it('has its effect once, and the same reply each time, said to be replayed', async () => {
    const [first, again] = [await client.pay('twice'), await client.pay('twice')]
    expect([first.status, first.replayed]).toEqual([201, null])
    expect(again).toEqual({ ...first, replayed: 'true' })
    expect(await client.payments('twice')).toEqual([(JSON.parse(first.body) as { id: string }).id])
  })

  it('means the same key bare and quoted', async () => {
    await client.pay('quoted')
    expect((await client.pay('quoted', { key: '"quoted"' })).replayed).toBe('true')
    expect(await client.payments('quoted')).toHaveLength(1)
  })

  it('is refused with another body, which changes nothing', async () => {
    await client.pay('changed')
    const other = await client.pay('changed', { cents: 6 })
    expect([other.status, other.code]).toEqual([422, 'idempotency_key_reused'])
    expect((await client.pay('changed')).status).toBe(201)
    expect(await client.payments('changed')).toHaveLength(1)
  })

  it('is told when to come back while the first is still being worked on', async () => {
    await system.fetch('/holds/slow', { method: 'PUT' })
    const slow = client.pay('slow')
    const waiting = async () => ((await (await system.fetch('/holds/slow')).json()) as { count: number }).count
    await expect.poll(waiting, { timeout: 6_000, interval: 20 }).toBe(1)
    const early = await client.pay('slow')
    expect([early.status, early.code, early.retryAfter]).toEqual([409, 'idempotency_in_progress', '1'])
    await system.fetch('/holds/slow', { method: 'DELETE' })
    const first = await slow
    expect([first.status, first.replayed]).toEqual([201, null])
    expect(await client.pay('slow')).toEqual({ ...first, replayed: 'true' })
    expect(await client.payments('slow')).toHaveLength(1)
  })

  it('is answered with the failure that it was answered with', async () => {
    const [first, again] = [await client.pay('dear', { cents: 2_000 }), await client.pay('dear', { cents: 2_000 })]
    expect([first.status, first.code, first.replayed]).toEqual([402, 'too_much', null])
    expect([again.status, again.code, again.replayed]).toEqual([402, 'too_much', 'true'])
    expect(JSON.parse(again.body)).toMatchObject({ details: { left: 1_000 } })
  })

  it('does nothing when the work that it belongs to was undone before it arrived', async () => {
    const cancels = { 'idempotency-cancels': `~${idOf('undone work')}` }
    const undone = await system.fetch('/payments/late', { method: 'DELETE', headers: cancels })
    expect(undone.status).toBe(204)
    const late = await client.pay('late', { key: derivedFrom('undone work') })
    expect([late.status, late.code]).toEqual([409, 'idempotency_cancelled'])
    expect(await client.payments('late')).toEqual([])
    expect((await client.pay('late', { key: derivedFrom('other work') })).status).toBe(201)
  })

  it('needs its key, in a form that a header may have', async () => {
    for (const key of ['', '"open', 'k'.repeat(256)]) {
      const refused = await client.pay('keyless', { key })
      expect([refused.status, refused.code]).toEqual([400, 'invalid_input'])
    }
    expect(await client.payments('keyless')).toEqual([])
  })
})

describe('a service that is killed between the effect and the reply', () => {
  it.each([
    ['once.before-commit', 'nothing is committed', null],
    ['once.after-commit', 'effect and reply are', 'true'],
  ])('at %s, where %s: the same key gets one effect and one reply', async (point, _, replayed) => {
    const directory = await mkdtemp(join(tmpdir(), 'trestle-faults-'))
    try {
      const faults = faultControl({ directory, seed: 1 })
      faults.arm({ id: point, point, hit: 1, act: 'kill' } satisfies Arm)
      await using system = await split.start(purses, { env: faults.env() })
      const client = clientOf(system)
      const lost = await client.pay('killed')
      expect([lost.status, lost.code]).toEqual([503, 'outcome_unknown'])
      expect(faults.fired()).toMatchObject([{ point, act: 'kill' }])
      // Whoever asks again is told to come back until the process is there, and what was begun is free.
      const told: Answer[] = []
      const repeated = async () => {
        told.push(await client.pay('killed'))
        return told.at(-1)?.status
      }
      await expect.poll(repeated, { timeout: 50_000, interval: 100 }).toBe(201)
      const between = new Set(told.slice(0, -1).map(({ code }) => code))
      expect([...between].filter((code) => code !== 'unavailable' && code !== 'idempotency_in_progress')).toEqual([])
      expect(told.at(-1)?.replayed).toBe(replayed)
      expect(await client.pay('killed')).toEqual({ ...told.at(-1), replayed: 'true' })
      expect(await client.payments('killed')).toHaveLength(1)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})

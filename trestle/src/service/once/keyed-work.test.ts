import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Call, Reply } from '../../call/call.ts'
import type { Caller } from '../../call/caller.ts'
import { contract, post, scopes } from '../../contract/index.ts'
import { onceWork } from '../../call/once-work.ts'
import { systemClock } from '../../std/clock.ts'
import { newTrace } from '../../std/trace-context.ts'
import { type StartedServices, startServices } from '../../testing/start-services.ts'
import { implement } from '../implement.ts'
import { book, bookService, bookStore } from './fixtures/book.ts'

const diary = contract('diary', {
  version: '1.0.0',
  operations: {
    write: post('/diary', {
      input: z.object({ text: z.string() }),
      output: z.object({ text: z.string() }),
      access: scopes('diary:write'),
      idempotent: 'key',
    }),
  },
})
const diaryService = implement(diary, { store: bookStore }).service({
  handlers: { write: ({ input, store }) => store.transaction(async () => input) },
})

const alice: Caller = { kind: 'user', id: 'alice', scopes: [] }
const bob: Caller = { ...alice, id: 'bob' }

function ask(services: StartedServices, input: unknown, more: Partial<Call> = {}): Promise<Reply> {
  return services.send({
    contract: book.id,
    operation: 'add',
    input: { kind: 'value', value: input },
    want: 'bytes',
    deadlineMs: systemClock.monotonic() + 10_000,
    signal: new AbortController().signal,
    caller: alice,
    from: 'operator',
    trace: newTrace(),
    key: 'k',
    ...more,
  })
}

const codeOf = (reply: Reply): string => (reply.ok ? 'ok' : reply.problem.code)
const isReplay = (reply: Reply): boolean =>
  reply.ok ? reply.headers?.['Idempotency-Replayed'] === 'true' : reply.problem.replayed === true

/** Status and body as a client reads them. */
function said(reply: Reply): unknown {
  if (!reply.ok) return reply.problem
  const { status, body } = reply
  return [status, body.kind === 'bytes' ? [body.contentType, Buffer.from(body.bytes).toString()] : body.kind]
}

const entries = (services: StartedServices, name: string) =>
  services
    .client(book)
    .count({ name })
    .then(({ count }) => count)

describe('a request with a key', () => {
  it('has its effect once, and the same reply each time, said to be replayed', async () => {
    await using services = await startServices([bookService()])
    const [first, second] = [await ask(services, { name: 'a' }), await ask(services, { name: 'a' })]
    expect(first).toMatchObject({ ok: true, status: 201 })
    expect(said(second)).toEqual(said(first))
    expect([first, second].map(isReplay)).toEqual([false, true])
    expect(await entries(services, 'a')).toBe(1)
  })

  it('of a client is another one than what a service asks in its name, under whatever key', async () => {
    await using services = await startServices([bookService()])
    const key = onceWork({ key: 'a scope that alice can compute', beganAtMs: 0 }).scope.keyFor('book.add')
    for (const each of [key, 'a key that she can guess']) {
      await ask(services, { name: each }, { key: each, from: 'gateway' })
      const inside = await ask(services, { name: each }, { key: each })
      expect([codeOf(inside), isReplay(inside), await entries(services, each)]).toEqual(['ok', false, 2])
    }
  })

  it('is another one for another caller, operation or key', async () => {
    await using services = await startServices([bookService()])
    await ask(services, { name: 'a' })
    await ask(services, { name: 'a' }, { caller: bob })
    await ask(services, { name: 'a' }, { key: 'l' })
    // Of another tenant, and another kind of caller with the same name.
    await ask(services, { name: 'a' }, { caller: { ...alice, tenant: 'other' } })
    await ask(services, { name: 'a' }, { caller: { ...alice, tenant: 'null' } })
    await ask(services, { name: 'a' }, { caller: { ...alice, kind: 'key' } })
    expect(await entries(services, 'a')).toBe(6)
    expect(codeOf(await ask(services, { name: 'a' }, { operation: 'strike' }))).toBe('ok')
    expect(await entries(services, 'a')).toBe(0)
  })

  it('is answered from its record only to whoever may still ask', async () => {
    await using services = await startServices([diaryService])
    const writer: Caller = { ...alice, scopes: ['diary:write'] }
    const write = (caller: Caller) =>
      ask(services, { text: 'a secret' }, { contract: diary.id, operation: 'write', caller })
    expect(codeOf(await write(writer))).toBe('ok')
    expect(isReplay(await write(writer))).toBe(true)
    // What she may do was taken from her since.
    expect(said(await write({ ...alice, scopes: ['diary:read'] }))).toMatchObject({ code: 'forbidden' })
  })

  it('is refused with another input', async () => {
    await using services = await startServices([bookService()])
    await ask(services, { name: 'a' })
    expect(codeOf(await ask(services, { name: 'b' }))).toBe('idempotency_key_reused')
    expect(codeOf(await ask(services, { amount: 1, name: 'a' }))).toBe('ok')
  })

  it('answers without a body again', async () => {
    await using services = await startServices([bookService()])
    const strike = () => ask(services, { name: 'a' }, { operation: 'strike' })
    expect(await strike()).toMatchObject({ status: 204, body: { kind: 'empty' } })
    expect(await strike()).toMatchObject({ status: 204, body: { kind: 'empty' } })
  })

  it('that was asked at once many times has its effect once', async () => {
    await using services = await startServices([bookService()])
    const replies = await Promise.all(Array.from({ length: 20 }, () => ask(services, { name: 'a' })))
    expect(new Set(replies.map(codeOf))).toEqual(new Set(['ok']))
    expect(replies.filter((reply) => !isReplay(reply))).toHaveLength(1)
    expect(await entries(services, 'a')).toBe(1)
  })

  it('that failed as its contract says fails the same again, and its transaction is rolled back', async () => {
    let runs = 0
    const failing = bookService({
      add: ({ store, fail, input }) =>
        store.transaction(async ({ db }) => {
          runs += 1
          await db
            .insertInto('entries')
            .values({ id: crypto.randomUUID(), ...input })
            .execute()
          return fail('closed', { since: 'monday' }, { detail: 'try on tuesday' })
        }),
    })
    await using services = await startServices([failing])
    const [first, second] = [await ask(services, { name: 'a' }), await ask(services, { name: 'a' })]
    expect(first).toMatchObject({ ok: false, problem: { code: 'closed', details: { since: 'monday' } } })
    expect(second).toEqual({
      ...first,
      problem: { ...(first as never as { problem: object }).problem, replayed: true },
    })
    expect([runs, await entries(services, 'a')]).toEqual([1, 0])
  })

  it('that failed otherwise runs again, at once, and makes the same ids at the same time', async () => {
    const made: unknown[] = []
    const failing = bookService({
      add: ({ store, newId, now, random, input }) =>
        store.transaction(async ({ db }) => {
          const entry = { id: newId(), ...input }
          made.push([entry.id, now(), random()])
          if (made.length === 1) throw new Error('the first fails')
          await db.insertInto('entries').values(entry).execute()
          return { ...entry, at: now() }
        }),
    })
    await using services = await startServices([failing])
    expect(codeOf(await ask(services, { name: 'a' }))).toBe('internal')
    services.pass(5_000)
    expect(codeOf(await ask(services, { name: 'a' }))).toBe('ok')
    expect(made[1]).toEqual(made[0])
    expect(await entries(services, 'a')).toBe(1)
  })
})

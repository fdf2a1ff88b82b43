import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Call, Handle, Reply } from '../../call/call.ts'
import { anonymous } from '../../call/caller.ts'
import type { Address } from '../../call/instance.ts'
import { systemClock } from '../../std/clock.ts'
import { newTrace } from '../../std/trace-context.ts'
import { connectLink, type LinkLimits, type LinkServer, type LinkTransport, listenLink } from './index.ts'

const key = new Uint8Array(32).fill(7)
const late = 'signed long ago'
const callers = {
  encode: JSON.stringify,
  decode: (text: string) => (text.includes(late) ? ('expired' as const) : JSON.parse(text)),
}
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'link-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 's')
}

interface Setup {
  readonly logged: string[]
  readonly server: (handle: Handle, address?: Address, limits?: LinkLimits, key?: Uint8Array) => Promise<LinkServer>
  readonly client: (address?: Address, limits?: LinkLimits) => LinkTransport
}

function setup(): Setup {
  const logged: string[] = []
  const say = (fields: Readonly<Record<string, unknown>>, message: string) => {
    logged.push(`${message}: ${String(fields['reason'] ?? fields['err'])}`)
  }
  const log = { info: say, warn: say }
  const home: Address = { kind: 'unix', path: socketPath() }
  const common = { callers, clock: systemClock, log }
  return {
    logged,
    async server(handle, address = home, limits = {}, serverKey = key) {
      const self = { process: 'callee', services: ['orders'] }
      const server = await listenLink({ ...common, address, key: serverKey, self, handle, limits })
      cleanups.push(() => server.close())
      return server
    },
    client(address = home, limits = {}) {
      const self = { process: 'caller', services: ['carts'] }
      const transport = connectLink({ ...common, address, key, self, limits })
      cleanups.push(() => transport.close())
      return transport
    },
  }
}

function call(value: unknown, more: Partial<Call> = {}): Call {
  return {
    contract: 'orders@1',
    operation: 'place',
    input: { kind: 'value', value },
    want: 'value',
    deadlineMs: systemClock.monotonic() + 10_000,
    signal: new AbortController().signal,
    caller: anonymous,
    from: 'carts',
    trace: newTrace(),
    key: undefined,
    ...more,
  }
}

const echo: Handle = async ({ input }) => ({
  ok: true,
  status: 200,
  body: { kind: 'value', value: input.kind === 'value' ? input.value : input },
})

/** What the typed client does with a contract: here the bytes are plain JSON. */
function valueOf(reply: Reply): unknown {
  if (!reply.ok || reply.body.kind !== 'bytes') throw new Error(`no bytes: ${JSON.stringify(reply)}`)
  return JSON.parse(Buffer.from(reply.body.bytes).toString('utf8'))
}

async function codeOf(reply: ReturnType<Handle>): Promise<string> {
  const settled = await reply
  return settled.ok ? `ok ${settled.status}` : settled.problem.code
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > endMs) throw new Error('the condition did not come true within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

describe('a link', () => {
  it('carries a call and its reply', async () => {
    const { server, client } = setup()
    await server(echo)
    const reply = await client().send(call({ a: 'ä€😀', list: [1, null, true] }))
    expect(valueOf(reply)).toEqual({ a: 'ä€😀', list: [1, null, true] })
  })

  it('connects once for many calls', async () => {
    const { server, client } = setup()
    await server(echo)
    const transport = client()
    const replies = await Promise.all(Array.from({ length: 1_000 }, (_, i) => transport.send(call(i))))
    expect(replies.map(valueOf)).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
  })

  it('answers unavailable when nobody listens, and finds the callee when it comes', async () => {
    const { server, client, logged } = setup()
    const transport = client()
    expect(await codeOf(transport.send(call(1)))).toBe('unavailable')
    expect(logged).toEqual([expect.stringContaining('a link could not be opened')])
    await server(echo)
    await until(() => transport.state === 'idle')
    expect(await codeOf(transport.send(call(1)))).toBe('ok 200')
  })

  it('finds a callee again that was restarted at the same address', async () => {
    const { server, client } = setup()
    const first = await server(echo)
    const transport = client()
    expect(await codeOf(transport.send(call(1)))).toBe('ok 200')
    await first.close()
    await server(echo)
    await until(() => transport.state === 'idle')
    expect(await codeOf(transport.send(call(2)))).toBe('ok 200')
  })

  it('refuses a peer without the key, at both ends', async () => {
    const { server, client, logged } = setup()
    await server(echo, undefined, {}, new Uint8Array(32).fill(8))
    expect(await codeOf(client().send(call(1)))).toBe('unavailable')
    expect(logged.join('\n')).toContain('the peer does not have the key of this system')
  })

  it('refuses a call in the name of a service that does not run in the peer', async () => {
    const { server, client } = setup()
    await server(echo)
    expect(await codeOf(client().send(call(1, { from: 'orders' })))).toBe('forbidden')
  })

  it('answers unavailable, not forbidden, when the clocks of the two differ: nobody has done wrong', async () => {
    const { server, client } = setup()
    await server(echo)
    const caller = { kind: 'user', id: late, scopes: [] } as const
    expect(await codeOf(client().send(call(1, { caller })))).toBe('unavailable')
  })

  it('answers overloaded at once when the callee accepts no more', async () => {
    const { server, client } = setup()
    const release: (() => void)[] = []
    await server((c) => new Promise((resolve) => release.push(() => resolve(echo(c)))), undefined, { callsMax: 2 })
    const transport = client()
    const held = [transport.send(call(1)), transport.send(call(2))]
    await until(() => release.length === 2)
    expect(await codeOf(transport.send(call(3)))).toBe('overloaded')
    for (const fn of release) fn()
    expect(await Promise.all(held.map(codeOf))).toEqual(['ok 200', 'ok 200'])
  })

  it('ends a call at its deadline and tells the callee', async () => {
    const { server, client } = setup()
    let aborted = false
    let timeLeftMs = 0
    await server((c) => {
      timeLeftMs = c.deadlineMs - systemClock.monotonic()
      return new Promise((resolve) =>
        c.signal.addEventListener('abort', () => {
          aborted = true
          resolve(echo(c))
        }),
      )
    })
    const reply = client().send(call(1, { deadlineMs: systemClock.monotonic() + 150 }))
    expect(await codeOf(reply)).toBe('deadline_exceeded')
    expect(timeLeftMs).toBeGreaterThan(0)
    expect(timeLeftMs).toBeLessThanOrEqual(150)
    await until(() => aborted)
  })

  it('says outcome_unknown for calls that were written, and unavailable for those that were not', async () => {
    const { server, client } = setup()
    let arrived = 0
    const listener = await server(() => {
      arrived += 1
      return new Promise(() => {})
    })
    const transport = client()
    const written = transport.send(call(1))
    await until(() => arrived === 1)
    const closing = listener.close()
    expect(await codeOf(written)).toBe('outcome_unknown')
    await closing
    expect(await codeOf(transport.send(call(2)))).toBe('unavailable')
  })

  it('drains: finishes what runs, loses nothing that was on its way', async () => {
    const { server, client } = setup()
    const release: (() => void)[] = []
    let arrived = 0
    const listener = await server((c) => {
      arrived += 1
      return new Promise((resolve) => release.push(() => resolve(echo(c))))
    })
    const transport = client()
    const first = transport.send(call('x'.repeat(300_000)))
    await until(() => arrived === 1)
    const crossing = transport.send(call(2))
    const drained = listener.drain(10_000)
    await until(() => arrived === 2 && transport.state === 'draining')
    expect(await codeOf(transport.send(call(3)))).toBe('unavailable')
    for (const fn of release) fn()
    expect(await codeOf(first)).toBe('ok 200')
    expect(await codeOf(crossing)).toBe('ok 200')
    await drained
  })

  it('cuts what does not drain in time', async () => {
    const { server, client } = setup()
    let arrived = 0
    const listener = await server(() => {
      arrived += 1
      return new Promise(() => {})
    })
    const reply = client().send(call(1))
    await until(() => arrived === 1)
    await listener.drain(20)
    expect(await codeOf(reply)).toBe('outcome_unknown')
  })

  it('lets small calls overtake a large one', async () => {
    const { server, client } = setup()
    const order: number[] = []
    await server(async (c) => {
      order.push(c.input.kind === 'rest' ? (c.input.body?.length ?? 0) : 0)
      return { ok: true, status: 200, body: { kind: 'bytes', bytes: new Uint8Array(3), contentType: 'x/y' } }
    })
    const transport = client()
    const rest = { kind: 'rest', params: {}, query: '', headers: {}, contentType: undefined } as const
    const large = call(0, { input: { ...rest, body: new Uint8Array(8_000_000) } })
    const replies = await Promise.all([transport.send(large), transport.send(call(1))])
    expect(replies.map((reply) => reply.ok)).toEqual([true, true])
    expect(order).toEqual([0, 8_000_000])
  })

  it('refuses bodies that are too large in either direction', async () => {
    const { server, client } = setup()
    await server(
      async () => ({ ok: true, status: 200, body: { kind: 'value', value: 'x'.repeat(200_000) } }),
      undefined,
      { messageMaxBytes: 100_000 },
    )
    const transport = client()
    expect(await codeOf(transport.send(call('x'.repeat(100_001))))).toBe('body_too_large')
    expect(await codeOf(transport.send(call(1)))).toBe('bad_reply')
  })
})

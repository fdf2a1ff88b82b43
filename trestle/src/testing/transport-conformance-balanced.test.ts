import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Call, Reply, Transport } from '../call/call.ts'
import { anonymous } from '../call/caller.ts'
import type { Instance } from '../call/instance.ts'
import { signedCallers } from '../call/signed-callers.ts'
import { balanced, createRegistry, type WritableRegistry } from '../registry/index.ts'
import { systemClock } from '../std/clock.ts'
import { newTrace } from '../std/trace-context.ts'
import { connectLink, type LinkServer, listenLink } from '../transport/link/index.ts'

const systemKey = new Uint8Array(32).fill(3)
const log = { info() {}, warn() {} }
const ends = { key: systemKey, callers: signedCallers({ systemKey, clock: systemClock }), clock: systemClock, log }
const contract = 'orders@1'
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

interface Replica {
  readonly instance: Instance
  readonly server: LinkServer
  served(): number
}

function fleet(): {
  registry: WritableRegistry
  transport: Transport
  readonly replica: (id: string, file?: string) => Promise<Replica>
} {
  const folder = mkdtempSync(join(tmpdir(), 'balanced-'))
  opened.push(() => rmSync(folder, { recursive: true, force: true }))
  const registry = createRegistry()
  const self = { process: 'carts', services: ['carts'] }
  const open = ({ address }: Instance) => connectLink({ ...ends, address: address as never, self })
  const transport = balanced({
    registry,
    open,
    clock: systemClock,
    random: Math.random,
    idempotent: (_contract, operation) => operation === 'find',
  })
  opened.push(() => transport.close())
  return {
    registry,
    transport,
    async replica(id, file = id) {
      let served = 0
      const address = { kind: 'unix', path: join(folder, file) } as const
      const server = await listenLink({
        ...ends,
        address,
        self: { process: id, services: ['orders'] },
        async handle() {
          served += 1
          await new Promise((resolve) => setImmediate(resolve))
          return { ok: true, status: 200, body: { kind: 'value', value: id } }
        },
      })
      opened.push(() => server.close())
      const instance: Instance = {
        id,
        service: 'orders',
        version: '1.0.0',
        contracts: [contract],
        address,
        state: 'ready',
      }
      return { instance, server, served: () => served }
    },
  }
}

function ask(transport: Transport, operation = 'place'): Promise<Reply> {
  const call: Call = {
    contract,
    operation,
    input: { kind: 'value', value: 1 },
    want: 'bytes',
    deadlineMs: systemClock.monotonic() + 10_000,
    signal: new AbortController().signal,
    caller: anonymous,
    from: 'carts',
    trace: newTrace(),
    key: undefined,
  }
  return transport.send(call)
}

const codeOf = (reply: Reply): string => (reply.ok ? 'ok' : reply.problem.code)

/** Calls without pause from several callers until told to stop; counts the answers by code. */
function load(transport: Transport): { readonly codes: Map<string, number>; readonly stop: () => Promise<void> } {
  const codes = new Map<string, number>()
  const stopped = new AbortController()
  const worker = async () => {
    while (!stopped.signal.aborted) {
      const code = codeOf(await ask(transport))
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
  }
  const workers = Promise.all(Array.from({ length: 16 }, worker))
  const stop = async () => {
    stopped.abort()
    await workers
  }
  return { codes, stop }
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = systemClock.monotonic() + 10_000
  while (!condition()) {
    if (systemClock.monotonic() > endMs) throw new Error('the condition did not come true within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

describe('calls balanced over links', () => {
  it('fail nowhere while replicas come, move and leave under load', async () => {
    const { registry, transport, replica } = fleet()
    const [a, b] = [await replica('a'), await replica('b')]
    registry.replace([a.instance, b.instance], [])
    const { codes, stop } = load(transport)
    await until(() => a.served() > 300 && b.served() > 300)

    const c = await replica('c')
    registry.replace([a.instance, b.instance, c.instance], [])
    await until(() => c.served() > 300)

    // The registry hears of it first, as in a deploy.
    registry.replace([{ ...a.instance, state: 'draining' }, b.instance, c.instance], [])
    await a.server.drain(10_000)
    registry.replace([b.instance, c.instance], [])

    // The registry hears of it late: the instance itself sends the calls away.
    await b.server.drain(10_000)
    const before = c.served()
    await until(() => c.served() > before + 300)
    registry.replace([c.instance], [])
    await stop()
    expect([...codes.keys()]).toEqual(['ok'])
    expect(codes.get('ok')).toBeGreaterThan(1_000)
  })

  it('find a callee again that was killed and came back at another address', async () => {
    const { registry, transport, replica } = fleet()
    const a = await replica('a')
    registry.replace([a.instance], [contract])
    expect(codeOf(await ask(transport))).toBe('ok')
    await a.server.close()
    // It may be written before the end of the link is heard of; `find` may then be repeated.
    expect(codeOf(await ask(transport, 'find'))).toBe('unavailable')
    registry.replace([], [contract])
    const moved = await replica('a2', 'elsewhere')
    registry.replace([moved.instance], [contract])
    expect(codeOf(await ask(transport))).toBe('ok')
  })

  it('find a callee again that was restarted at the same address, without a word from the registry', async () => {
    const { registry, transport, replica } = fleet()
    const a = await replica('a')
    registry.replace([a.instance], [contract])
    expect(codeOf(await ask(transport))).toBe('ok')
    await a.server.close()
    const startMs = systemClock.monotonic()
    // It may be written before the end of the link is heard of; `find` may then be repeated.
    expect(codeOf(await ask(transport, 'find'))).toBe('unavailable')
    expect(systemClock.monotonic() - startMs).toBeLessThan(1_000)
    const again = await replica('a')
    let code = ''
    const endMs = systemClock.monotonic() + 10_000
    while (code !== 'ok' && systemClock.monotonic() < endMs) code = codeOf(await ask(transport))
    expect(code).toBe('ok')
    expect(again.served()).toBe(1)
  })

  it('are repeated on another replica when one dies under them, if they may be', async () => {
    const { registry, transport, replica } = fleet()
    const [a, b] = [await replica('a'), await replica('b')]
    registry.replace([a.instance, b.instance], [])
    await Promise.all(Array.from({ length: 20 }, () => ask(transport)))
    const finds = Array.from({ length: 10 }, () => ask(transport, 'find'))
    await new Promise((resolve) => setImmediate(resolve))
    await a.server.close()
    expect((await Promise.all(finds)).map(codeOf)).toEqual(Array(10).fill('ok'))
  })
})

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Call } from '../../call/call.ts'
import { anonymous } from '../../call/caller.ts'
import { systemClock } from '../../std/clock.ts'
import { newTrace } from '../../std/trace-context.ts'
import { connectLink, type LinkTransport } from './index.ts'

let child: ChildProcess | undefined
let transport: LinkTransport | undefined
const folder = mkdtempSync(join(tmpdir(), 'stuck-'))

afterEach(async () => {
  await transport?.close()
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

async function codeOf(timeoutMs: number): Promise<string> {
  const call: Call = {
    contract: 'orders@1',
    operation: 'find',
    input: { kind: 'value', value: 1 },
    want: 'value',
    deadlineMs: systemClock.monotonic() + timeoutMs,
    signal: new AbortController().signal,
    caller: anonymous,
    from: 'carts',
    trace: newTrace(),
    key: undefined,
  }
  const reply = await (transport as LinkTransport).send(call)
  return reply.ok ? 'ok' : reply.problem.code
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 15_000
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error('the condition did not come true within 15 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

it('ends calls to a stopped process by their deadline, gives the link up, and finds the process again', async () => {
  const path = join(folder, 's')
  child = fork(join(import.meta.dirname, 'fixtures', 'callee-process.ts'), [path], { execArgv: [] })
  await once(child, 'message')
  const logged: string[] = []
  const log = { info() {}, warn: (fields: object) => void logged.push(JSON.stringify(fields)) }
  transport = connectLink({
    address: { kind: 'unix', path },
    key: new Uint8Array(32).fill(7),
    self: { process: 'caller', services: ['carts'] },
    callers: { encode: JSON.stringify, decode: (text) => JSON.parse(text) },
    clock: systemClock,
    log,
    limits: { heartbeatMs: 100, handshakeTimeoutMs: 200 },
  })
  expect(await codeOf(10_000)).toBe('ok')
  child.kill('SIGSTOP')
  expect(await codeOf(50)).toBe('deadline_exceeded')
  // In flight when the link is given up: nobody knows whether the stopped process will still do it.
  expect(await codeOf(10_000)).toBe('outcome_unknown')
  expect(logged.join('\n')).toContain('the peer does not answer')
  // The socket still accepts; the handshake does not come, so nothing was processed.
  expect(await codeOf(10_000)).toBe('unavailable')
  expect(transport.state).not.toBe('open')
  child.kill('SIGCONT')
  await until(async () => (await codeOf(10_000)) === 'ok')
  expect(transport.state).toBe('open')
})

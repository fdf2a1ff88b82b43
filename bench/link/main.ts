import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Call, Reply } from '../../trestle/src/call/call.ts'
import { anonymous } from '../../trestle/src/call/caller.ts'
import { systemClock } from '../../trestle/src/std/clock.ts'
import { newTrace } from '../../trestle/src/std/trace-context.ts'
import { connectLink } from '../../trestle/src/transport/link/index.ts'
import { printTable, writeReport } from '../report.ts'

/**
 * What one hop between two processes costs: CPU of both, per call, with 1, 8 and 64 calls under way.
 *
 *     npm run bench -- link [--calls 200000] [--json FILE]
 */
const { values } = parseArgs({ options: { calls: { type: 'string', default: '200000' }, json: { type: 'string' } } })
const calls = Number(values.calls)
const folder = mkdtempSync(join(tmpdir(), 'bench-link-'))
const path = join(folder, 's')
const child = fork(join(import.meta.dirname, '../../trestle/src/transport/link/fixtures/callee-process.ts'), [path])
await once(child, 'message')
const transport = connectLink({
  address: { kind: 'unix', path },
  key: new Uint8Array(32).fill(7),
  self: { process: 'bench', services: ['carts'] },
  callers: { encode: JSON.stringify, decode: (text) => JSON.parse(text) },
  clock: systemClock,
  log: console,
})
const input = { id: '0190f3c2-7f1e-7a52-9a2c-3b1f0c1d2e3f', lines: [{ sku: 'A-1', quantity: 2, price: 1_999 }] }
const signal = new AbortController().signal
const trace = newTrace()

function ask(operation: string): Promise<Reply> {
  const call: Call = {
    contract: 'orders@1',
    operation,
    input: { kind: 'value', value: input },
    want: 'bytes',
    deadlineMs: systemClock.monotonic() + 10_000,
    signal,
    caller: anonymous,
    from: 'carts',
    trace,
    key: undefined,
  }
  return transport.send(call)
}

async function calleeCpuUs(): Promise<number> {
  const reply = await ask('cpu')
  if (!reply.ok || reply.body.kind !== 'bytes') throw new Error('the callee does not say what it used')
  return JSON.parse(Buffer.from(reply.body.bytes).toString('utf8')) as number
}

async function callerCpuUs(): Promise<number> {
  const { user, system } = process.cpuUsage()
  return user + system
}

async function run(atOnce: number, count: number): Promise<void> {
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const reply = await ask('echo')
      if (!reply.ok) throw new Error(reply.problem.code)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function measure(atOnce: number, count: number) {
  await run(atOnce, count / 4)
  const [callee, caller, startMs] = [await calleeCpuUs(), await callerCpuUs(), performance.now()]
  await run(atOnce, count)
  const ms = performance.now() - startMs
  const [callerUs, calleeUs] = [((await callerCpuUs()) - caller) / count, ((await calleeCpuUs()) - callee) / count]
  return { atOnce, callsPerSecond: (count / ms) * 1_000, callerUs, calleeUs }
}

const results = [await measure(1, calls / 8), await measure(8, calls / 2), await measure(64, calls)]
printTable([
  ['at once', 'calls/s', 'caller', 'callee', 'CPU us per call'],
  ...results.map(({ atOnce, callsPerSecond, callerUs, calleeUs }) => [
    String(atOnce),
    Math.round(callsPerSecond).toLocaleString('en'),
    ...[callerUs, calleeUs, callerUs + calleeUs].map((us) => us.toFixed(1)),
  ]),
])
writeReport(values.json, { benchmark: 'link', results })
await transport.close()
child.disconnect()
rmSync(folder, { recursive: true, force: true })

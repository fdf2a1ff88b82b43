import { describe, expect, it } from 'vitest'
import type { Call, Reply } from '../../call/call.ts'
import { newTrace } from '../../std/trace-context.ts'
import { localTransport } from './local-transport.ts'

const done: Reply = { ok: true, status: 200, body: { kind: 'empty' } }
const call = (): Call => ({
  contract: 'a@1',
  operation: 'b',
  input: { kind: 'value', value: {} },
  want: 'value',
  deadlineMs: 1,
  signal: new AbortController().signal,
  caller: { kind: 'user', id: 'alice', scopes: ['a'] },
  from: 'c',
  trace: newTrace(),
  key: undefined,
})

describe('the transport within a process', () => {
  it('hands call and reply over as they are', async () => {
    const seen: Call[] = []
    const transport = localTransport(async (given) => (seen.push(given), done))
    const given = call()
    expect(await transport.send(given)).toBe(done)
    expect(seen).toEqual([given])
  })

  it('says that nothing was processed when it is closed', async () => {
    const transport = localTransport(async () => done)
    await transport.close()
    const given = call()
    expect(await transport.send(given)).toMatchObject({
      ok: false,
      problem: { code: 'unavailable', traceId: given.trace.traceId },
    })
  })
})

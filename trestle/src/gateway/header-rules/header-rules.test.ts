import { describe, expect, it } from 'vitest'
import { platformProblem } from '../../call/problem.ts'
import { type Answer, startBench } from '../gateway-fixture.ts'
import { headerRules } from './header-rules.ts'

const policies = [
  headerRules({
    request: { set: { 'User-Agent': 'ruled' }, remove: ['X-User-Id'] },
    response: { set: { 'X-Frame-Options': 'DENY', 'X-Kind': 'ours' }, remove: ['X-Powered-By'] },
  }),
]

async function ask(answer: Answer, path = '/pub/agent') {
  const bench = await startBench(answer, { policies })
  const reply = await bench.fetch(path, { headers: { 'user-agent': 'mine', 'x-user-id': 'me' } })
  await bench.stop()
  const input = bench.calls[0]?.input
  return { reply, headers: input?.kind === 'rest' ? input.headers : undefined }
}

describe('header rules', () => {
  it('change what a service sees and what the client gets', async () => {
    const { reply, headers } = await ask(() => ({
      ok: true,
      status: 200,
      body: { kind: 'empty' },
      headers: { 'x-kind': 'theirs', 'x-powered-by': 'x', 'x-kept': 'y' },
    }))
    expect(headers).toEqual({ agent: 'ruled' })
    const got = ['x-frame-options', 'x-kind', 'x-powered-by', 'x-kept'].map((name) => reply.headers.get(name))
    expect(got).toEqual(['DENY', 'ours', null, 'y'])
  })

  it('also hold for a problem of the service', async () => {
    const { reply } = await ask(() => ({ ok: false, problem: platformProblem('unavailable') }))
    expect([reply.status, reply.headers.get('x-frame-options')]).toEqual([503, 'DENY'])
  })

  it.each([
    [{ request: { set: { 'X-Forwarded-For': 'a' } } }, /gateway's own/],
    [{ response: { remove: ['Content-Length'] } }, /gateway's own/],
    [{ response: { set: { a: 'b\nc: d' } } }, /not allowed/],
    [{ request: { set: { 'a b': 'c' } } }, /no header name/],
  ])('with %j are refused at start', (options, message) => {
    expect(() => headerRules(options)).toThrow(message)
  })
})

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Call, Reply } from '../../call/call.ts'
import { anonymous } from '../../call/caller.ts'
import { anyone, contract, get, post, problem } from '../../contract/index.ts'
import { headersFrom } from '../../http/header-list.ts'
import { type ClientRequest, type HttpClient, HttpError, type HttpErrorCode } from '../../http/message.ts'
import { systemClock } from '../../std/clock.ts'
import { newTrace } from '../../std/trace-context.ts'
import { httpTransport } from './index.ts'

const rates = contract('rates', {
  version: '1.0.0',
  operations: {
    find: get('/rates/{currency}', {
      input: z.object({ currency: z.string() }),
      output: z.object({ rate: z.number() }),
      errors: { unknown_currency: problem(404), closed: problem(409, z.object({ until: z.string() })) },
      access: anyone(),
    }),
    order: post('/orders', {
      input: z.object({ amount: z.int() }),
      output: z.object({ id: z.string() }),
      created: true,
    }),
  },
})

interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly type?: string
  readonly headers?: readonly (readonly [string, string])[]
}

async function* nothing(): AsyncIterable<Uint8Array> {}

function setup(answer: Answer | HttpErrorCode) {
  const requests: ClientRequest[] = []
  const client: HttpClient = {
    async request(request) {
      requests.push(request)
      if (typeof answer === 'string') throw new HttpError(answer, answer)
      const { status, body, type = 'application/json', headers = [] } = answer
      const bytes = Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''))
      return {
        status,
        headers: headersFrom(['content-type', type, ...headers.flat()]),
        bytes: async () => bytes,
        stream: () => nothing(),
        async discard() {},
      }
    },
    async close() {},
  }
  const headers = { authorization: 'Bearer secret' }
  const transport = httpTransport({ contract: rates, url: 'https://rates.test/v2/', client, headers })
  const call: Call = {
    contract: 'rates@1',
    operation: 'find',
    input: { kind: 'value', value: { currency: 'CHF' } },
    want: 'value',
    deadlineMs: systemClock.monotonic() + 10_000,
    signal: new AbortController().signal,
    caller: anonymous,
    from: 'orders',
    trace: newTrace(),
    key: 'k1',
  }
  const send = (more: Partial<Call> = {}): Promise<Reply> => transport.send({ ...call, ...more })
  return { requests, send, call }
}

describe('a call to a foreign service', () => {
  it('is the request that the contract describes, with key, trace and credential, and nothing of the caller', async () => {
    const { requests, send, call } = setup({ status: 200, body: { rate: 1.5, extra: true } })
    expect(await send()).toEqual({ ok: true, status: 200, body: { kind: 'value', value: { rate: 1.5 } } })
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({ method: 'GET', origin: 'https://rates.test', target: '/v2/rates/CHF' })
    const sent = Object.fromEntries(requests[0]?.headers ?? [])
    expect(sent).toMatchObject({ authorization: 'Bearer secret', 'idempotency-key': 'k1' })
    expect(sent['traceparent']).toContain(call.trace.traceId)
  })

  it('gives only what the contract declares to who wants bytes', async () => {
    const { send } = setup({ status: 200, body: { rate: 1.5, extra: true } })
    const reply = await send({ want: 'bytes' })
    expect(reply.ok && reply.body.kind === 'bytes' && Buffer.from(reply.body.bytes).toString()).toBe('{"rate":1.5}')
  })

  it.each<[string, Answer, object]>([
    [
      'a declared code',
      { status: 404, body: { code: 'unknown_currency', detail: 'x' } },
      { code: 'unknown_currency', declared: true, detail: 'x' },
    ],
    [
      'declared details',
      { status: 409, body: { code: 'closed', details: { until: 'Mon', more: 1 } } },
      { code: 'closed', declared: true, details: { until: 'Mon' } },
    ],
    [
      'details that do not match',
      { status: 409, body: { code: 'closed', details: { until: 5 } } },
      { code: 'bad_reply' },
    ],
    [
      'a declared code with another status',
      { status: 400, body: { code: 'unknown_currency' } },
      { code: 'invalid_input', declared: false },
    ],
    [
      'no code, but one declared error of that status',
      { status: 404, body: 'gone', type: 'text/html' },
      { code: 'unknown_currency', declared: true },
    ],
    ['a status that needs details and has none', { status: 409, body: {} }, { code: 'conflict', declared: false }],
    ['a platform code', { status: 503, body: { code: 'unavailable' } }, { code: 'unavailable' }],
    [
      'a plain 503, which promises nothing',
      { status: 503, body: '', headers: [['retry-after', '7']] },
      { code: 'outcome_unknown', retryAfterMs: 7_000 },
    ],
    ['a plain 500', { status: 500, body: 'stack trace', type: 'text/plain' }, { code: 'internal' }],
    ['a redirect', { status: 302, headers: [['location', 'http://169.254.169.254/']] }, { code: 'bad_reply' }],
    ['an undeclared 2xx', { status: 202, body: { rate: 1 } }, { code: 'bad_reply' }],
    ['a reply that does not match', { status: 200, body: { rate: 'much' } }, { code: 'bad_reply' }],
    ['a reply that is no JSON', { status: 200, body: '{"rate":' }, { code: 'bad_reply' }],
    ['an undeclared 418', { status: 418, body: {} }, { code: 'bad_reply' }],
  ])('reads %s', async (_, answer, expected) => {
    expect(await setup(answer).send()).toMatchObject({ ok: false, problem: expected })
  })

  it.each<[HttpErrorCode, string]>([
    ['connect_failed', 'unavailable'],
    ['overloaded', 'overloaded'],
    ['reset', 'outcome_unknown'],
    ['timeout', 'deadline_exceeded'],
    ['body_timeout', 'outcome_unknown'],
    ['bad_response', 'bad_reply'],
    ['body_too_large', 'bad_reply'],
  ])('that ends with %s is %s', async (fault, code) => {
    expect(await setup(fault).send()).toMatchObject({ ok: false, problem: { code, declared: false } })
  })

  it('is not sent with an invalid input, for an unknown operation or to another contract', async () => {
    const { requests, send } = setup({ status: 200 })
    const invalid = await send({ operation: 'order', input: { kind: 'value', value: { amount: 'all' } } })
    expect(invalid).toMatchObject({ problem: { code: 'invalid_input', errors: [{ pointer: '/amount' }] } })
    const steps = await send({ input: { kind: 'value', value: { currency: '..' } } })
    expect(steps).toMatchObject({ problem: { code: 'invalid_input' } })
    expect(await send({ operation: 'constructor' })).toMatchObject({ problem: { code: 'not_implemented' } })
    expect(await send({ contract: 'rates@2' })).toMatchObject({ problem: { code: 'not_implemented' } })
    expect(requests).toEqual([])
  })

  it.each(['rates.test', 'ftp://rates.test', 'https://u:p@rates.test', 'https://rates.test/?a=1'])(
    'needs the URL of a service, not %s',
    (url) => {
      const client = {} as HttpClient
      expect(() => httpTransport({ contract: rates, url, client })).toThrow(TypeError)
    },
  )
})

import { describe, expect, it } from 'vitest'
import type { HeaderFields } from '../../http/message.ts'
import { cacheDirectives } from './cache-directives.ts'
import { ReplyCache } from './reply-cache.ts'
import { lifetimeOf, storedReply } from './stored-reply.ts'

const nowMs = Date.UTC(2030, 0, 1)
const spec = {
  maxBytes: 1,
  maxEntryBytes: 1,
  ttlMs: 5_000,
  vary: [],
  allowAuthorization: false,
  staleWhileRevalidateMs: 1_000,
  staleIfErrorMs: 2_000,
}
const lifetime = (headers: HeaderFields, status = 200) => lifetimeOf({ status, headers }, spec, nowMs)
const control = (value: string) => lifetime([['Cache-Control', value]])

const stale = (value: string) => {
  const { staleWhileRevalidateMs, staleIfErrorMs } = control(value) ?? {}
  return [staleWhileRevalidateMs, staleIfErrorMs]
}

const reply = (pathKey: string, bytes = 1_000) =>
  storedReply(
    {
      status: 200,
      headers: [
        ['X-Request-Id', 'one'],
        ['Age', '3'],
        ['RateLimit', '"a";r=1'],
        ['ETag', '"e"'],
      ],
    },
    new Uint8Array(bytes),
    { initialAgeMs: 0, freshMs: 1, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 },
    { pathKey, askedAtMs: 0 },
  )

describe('how long a reply may be shown', () => {
  it.each<[string, HeaderFields, number | undefined]>([
    ['by default', [], 5_000],
    ['what it says', [['cache-control', 'public, max-age=7']], 7_000],
    ['in quotes', [['cache-control', 'max-age="7"']], 7_000],
    [
      'the shorter of two',
      [
        ['cache-control', 'max-age=7'],
        ['Cache-Control', 'MAX-AGE=3'],
      ],
      3_000,
    ],
    ['until it expires', [['Expires', 'Tue, 01 Jan 2030 00:01:00 GMT']], 60_000],
    [
      'from when it was made until it expires',
      [
        ['Date', 'Tue, 01 Jan 2030 00:00:30 GMT'],
        ['Expires', 'Tue, 01 Jan 2030 00:01:00 GMT'],
      ],
      30_000,
    ],
    ['not, when it has expired', [['Expires', 'Mon, 31 Dec 2029 00:00:00 GMT']], undefined],
    ['not, when nobody can tell when it expires', [['Expires', '0']], undefined],
    [
      'not, with a part that is missing',
      [
        ['Trestle-Partial', 'cart'],
        ['cache-control', 'max-age=7'],
      ],
      undefined,
    ],
    ['not, when it is private for a field', [['cache-control', 'max-age=7, private="x-a"']], undefined],
    ['for ever', [['cache-control', 'max-age=99999999999']], 2_147_483_648_000],
  ])('%s', (_, headers, freshMs) => {
    expect(lifetime(headers)?.freshMs).toBe(freshMs)
  })

  it('is not for what it would be wrong to show again', () => {
    expect(lifetime([['cache-control', 'max-age=7']], 404)?.freshMs).toBe(7_000)
    for (const status of [206, 302, 304, 400, 401, 403, 405, 414, 429, 431, 500, 503]) {
      expect([status, lifetime([['cache-control', 'max-age=7']], status)]).toEqual([status, undefined])
    }
  })

  it('when stale is what the reply says, else what was configured, and never where it forbids it', () => {
    expect(stale('max-age=7')).toEqual([1_000, 2_000])
    expect(stale('max-age=7, stale-while-revalidate=3, stale-if-error=4')).toEqual([3_000, 4_000])
    expect(stale('s-maxage=7')).toEqual([0, 0])
    expect(stale('s-maxage=7, stale-while-revalidate=3')).toEqual([3_000, 0])
    expect(stale('max-age=7, must-revalidate, stale-if-error=4')).toEqual([0, 0])
  })

  it('reads directives in any spelling', () => {
    const read = cacheDirectives('Private = "a, b" ,NO-STORE;max-age = 5')
    expect([read.has('private'), read.has('no-store'), read.has('public'), read.ms('max-age')]).toEqual([
      true,
      true,
      false,
      5_000,
    ])
  })
})

describe('stored replies', () => {
  it('keep nothing of the one request that made them, and no memory but their own', () => {
    expect(reply('p').headers).toEqual([['ETag', '"e"']])
    const piece = new Uint8Array(1_000_000).subarray(10, 20)
    const { body } = storedReply({ status: 200, headers: [] }, piece, reply('p'), reply('p'))
    expect(body.buffer.byteLength).toBe(10)
  })

  it('never take more than their bytes, and give back all of them', () => {
    const replies = new ReplyCache(10_000)
    for (let number = 0; number < 100; number += 1) {
      replies.set(`key-${number}`, reply(`path-${number % 7}`, 100 * (number % 9)))
      expect(replies.bytes).toBeLessThanOrEqual(10_000)
    }
    expect(replies.size).toBeGreaterThan(3)
    replies.set('too-large', reply('path-1', 20_000))
    expect(replies.get('too-large')).toBeUndefined()
    for (let number = 0; number < 7; number += 1) replies.invalidate(`path-${number}`)
    expect([replies.size, replies.bytes]).toEqual([0, 0])
  })
})

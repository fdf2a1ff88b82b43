import { describe, expect, it } from 'vitest'
import { headersFrom } from '../http/header-list.ts'
import type { HttpRequest } from '../http/message.ts'
import { deprecationHeaders } from './route/deprecation-headers.ts'
import { hostMatcher } from './request/host-match.ts'
import { readIdempotencyKey } from './request/idempotency-key.ts'
import { identify } from './request/request-identity.ts'
import { originOf, trustedProxies } from './request/trusted-headers.ts'

describe('an idempotency key', () => {
  it.each([
    ['abc', 'abc'],
    ['"abc"', 'abc'],
    [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ['x'.repeat(255), 'x'.repeat(255)],
  ])('%s is read', (header, key) => {
    expect(readIdempotencyKey(header)).toEqual({ ok: true, key })
  })

  it.each(['', '""', 'a b', '"a b"', '"abc', 'é', 'x'.repeat(256), `"${'x'.repeat(256)}"`, '"a"b"'])(
    '%j is refused',
    (header) => {
      expect(readIdempotencyKey(header).ok).toBe(false)
    },
  )

  it('may be missing', () => {
    expect(readIdempotencyKey(undefined)).toEqual({ ok: true, key: undefined })
  })
})

describe('hosts', () => {
  it('match exactly or by a wildcard of one label', () => {
    const serves = hostMatcher(['api.example.com', '*.shop.example'])
    for (const host of ['api.example.com', 'API.example.com:443', 'a.shop.example']) expect(serves(host)).toBe(true)
    for (const host of [
      'api.example.com.evil.test',
      'evil-api.example.com',
      'example.com',
      'shop.example',
      'a.b.shop.example',
      '*.shop.example',
      undefined,
      '',
    ]) {
      expect(serves(host)).toBe(false)
    }
    expect(hostMatcher([])('anything')).toBe(true)
    expect(() => hostMatcher(['a*.example'])).toThrow(TypeError)
  })
})

const request = (headers: readonly string[], remoteAddress = '10.0.0.1') =>
  ({ headers: headersFrom(headers), remoteAddress, encrypted: false }) as HttpRequest

describe('what a client says of where it comes from', () => {
  const spoofed = [
    'Host',
    'a',
    'X-Forwarded-For',
    '1.1.1.1, 10.0.0.9',
    'X-Forwarded-Proto',
    'https',
    'X-Forwarded-Host',
    'shop.example',
    'Forwarded',
    'for=1.1.1.1',
    'X-Real-IP',
    '1.1.1.1',
    'X_User_Id',
    'root',
    'Trestle-Caller',
    'root',
    'Connection',
    'X-User-Id, close',
    'X-User-Id',
    'root',
    'Authorization',
    'Bearer x',
    'Accept',
    '*/*',
  ]

  it('is not believed, and rebuilt', () => {
    const { clientAddress, headers } = originOf(request(spoofed), trustedProxies([]))
    expect(clientAddress).toBe('10.0.0.1')
    expect([...headers.entries()]).toEqual([
      ['host', 'a'],
      ['authorization', 'Bearer x'],
      ['accept', '*/*'],
      ['x-forwarded-for', '10.0.0.1'],
      ['x-forwarded-proto', 'http'],
      ['x-forwarded-host', 'a'],
    ])
  })

  it('is believed of a trusted proxy, up to the first hop that is none', () => {
    const { clientAddress, headers } = originOf(request(spoofed), trustedProxies(['10.0.0.0/8']))
    expect(clientAddress).toBe('1.1.1.1')
    expect(headers.get('x-forwarded-for')).toBe('1.1.1.1, 10.0.0.9, 10.0.0.1')
    expect(headers.get('x-forwarded-proto')).toBe('https')
    expect(headers.get('x-forwarded-host')).toBe('shop.example')
    expect(headers.has('x_user_id')).toBe(false)
    expect(headers.has('trestle-caller')).toBe(false)
  })

  it('is not believed when it is no address', () => {
    const odd = originOf(request(['X-Forwarded-For', 'unknown, 1.1.1.1']), trustedProxies(['10.0.0.0/8']))
    expect(odd.clientAddress).toBe('10.0.0.1')
  })

  it.each(['10.0.0.0/33', 'example.com', '10.0.0/8', '::1/129', '1.1.1.1/x'])(
    'cannot come by the proxy %s',
    (network) => {
      expect(() => trustedProxies([network])).toThrow(TypeError)
    },
  )

  it('knows addresses of both families', () => {
    const proxies = trustedProxies(['fd00::/8', '127.0.0.1'])
    expect(['fd12::1', '127.0.0.1'].map((address) => proxies.has(address))).toEqual([true, true])
    expect(['fe80::1', '127.0.0.2', 'x'].map((address) => proxies.has(address))).toEqual([false, false, false])
  })
})

describe('the identity of a request', () => {
  it('is the one that it brings when that is safe', () => {
    const traceId = 'a'.repeat(32)
    const given = identify(
      headersFrom(['X-Request-Id', 'abc-1.2', 'traceparent', `00-${traceId}-${'b'.repeat(16)}-01`]),
      0,
    )
    expect(given.requestId).toBe('abc-1.2')
    expect(given.trace.traceId).toBe(traceId)
    expect(given.trace.spanId).not.toBe('b'.repeat(16))
  })

  it.each(['', 'a b', '<script>', 'x'.repeat(129), 'a, b'])('is a new one for %j', (id) => {
    const { requestId, trace } = identify(
      headersFrom(['X-Request-Id', id, 'traceparent', 'nonsense']),
      1_700_000_000_000,
    )
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe('deprecation', () => {
  it('is said by the standard fields', () => {
    expect(deprecationHeaders({ on: '2027-01-31', sunset: '2027-06-30', use: '/v2/orders' })).toEqual([
      ['Deprecation', '@1801353600'],
      ['Sunset', 'Wed, 30 Jun 2027 00:00:00 GMT'],
      ['Link', '</v2/orders>; rel="successor-version"'],
    ])
    expect(deprecationHeaders({ on: '2027-01-31', use: 'orders.place' })).toHaveLength(1)
    expect(deprecationHeaders(undefined)).toEqual([])
  })
})

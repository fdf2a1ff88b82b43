import { describe, expect, it } from 'vitest'
import { headersFrom } from '../../http/header-list.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import { cacheableRequest } from './cache-key.ts'
import type { CacheSpec } from './cache.ts'

const spec = { allowAuthorization: false, vary: ['accept'] } as unknown as CacheSpec

const keyOf = (query: string, accept = '*/*') => {
  const request = {
    http: { method: 'GET', target: '/', body: { present: false } },
    caller: { kind: 'anonymous' },
    headers: headersFrom(['host', 'a', 'accept', accept]),
    path: '/a',
    query,
    notes: {},
  } as unknown as EdgeRequest
  const found = cacheableRequest(request, spec)
  return typeof found === 'string' ? found : found.key
}

describe('the key of a request', () => {
  it('is short, however much a client writes into what it is made of', () => {
    expect(keyOf('x'.repeat(8_000)).length).toBeLessThan(1_100)
    expect(keyOf('', 'x'.repeat(30_000)).length).toBeLessThan(1_100)
  })

  it('differs in its last character also when it is long', () => {
    expect(keyOf(`${'x'.repeat(8_000)}a`)).not.toBe(keyOf(`${'x'.repeat(8_000)}b`))
    expect(keyOf(`${'x'.repeat(8_000)}a`)).toBe(keyOf(`${'x'.repeat(8_000)}a`))
  })
})

import { describe, expect, it } from 'vitest'
import { newKeyPair, signatureOf } from './signature.ts'
import { type ReceivedDelivery, verifyDelivery } from './verify-delivery.ts'

const now = Date.parse('2026-11-21T08:00:00.000Z')
const { x, privatePkcs8 } = newKeyPair()
const keys = [{ kty: 'OKP' as const, crv: 'Ed25519' as const, x, kid: 'key-1' }]
const body = '{"id":"1","amount":"10.00"}'
const time = new Date(now).toISOString()
const signed = { transmissionId: 'transmission-1', time, webhookId: 'webhook-1', body }

const headers: Record<string, string> = {
  'pay-transmission-id': 'transmission-1',
  'pay-transmission-time': time,
  'pay-key-id': 'key-1',
  'pay-transmission-sig': signatureOf(signed, privatePkcs8),
}
const verdict = (change: Partial<ReceivedDelivery> = {}, changed: Record<string, string | undefined> = {}) => {
  const all = { ...headers, ...changed }
  return verifyDelivery({ headers: (name) => all[name], body, webhookId: 'webhook-1', keys, now, ...change })
}

describe('a delivery', () => {
  it('is genuine as it was sent, its body as text or bytes', () => {
    expect(verdict()).toBe('genuine')
    expect(verdict({ body: Buffer.from(body) })).toBe('genuine')
  })

  it('is not when anything of it was changed', () => {
    expect(verdict({ body: body.replace('10.00', '99.00') })).toBe('not_genuine')
    expect(verdict({ webhookId: 'webhook-2' })).toBe('not_genuine')
    expect(verdict({}, { 'pay-transmission-id': 'transmission-2' })).toBe('not_genuine')
    expect(verdict({}, { 'pay-transmission-time': new Date(now + 1).toISOString() })).toBe('not_genuine')
    expect(verdict({}, { 'pay-transmission-sig': undefined })).toBe('not_genuine')
    expect(verdict({}, { 'pay-transmission-sig': 'AAAA' })).toBe('not_genuine')
    const other = { ...signed, body: 'x' }
    expect(verdict({}, { 'pay-transmission-sig': signatureOf(other, privatePkcs8) })).toBe('not_genuine')
  })

  it('is not when another key signed it, and says which key is not known', () => {
    const mallory = newKeyPair()
    expect(verdict({}, { 'pay-transmission-sig': signatureOf(signed, mallory.privatePkcs8) })).toBe('not_genuine')
    expect(verdict({}, { 'pay-key-id': 'key-2' })).toBe('unknown_key')
    expect(verdict({ keys: [] })).toBe('unknown_key')
    expect(verdict({ keys: [{ ...keys[0], x: 'no key' } as never] })).toBe('not_genuine')
  })

  it('is refused when it was sent long ago, or is to be sent', () => {
    expect(verdict({ now: now + 300_000 })).toBe('genuine')
    expect(verdict({ now: now + 300_001 })).toBe('too_old')
    expect(verdict({ now: now - 300_001 })).toBe('too_old')
    expect(verdict({ now: now + 300_001, toleranceMs: 600_000 })).toBe('genuine')
  })
})

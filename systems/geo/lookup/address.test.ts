import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAddress } from './address.ts'

describe('an address', () => {
  it.each([
    ['8.8.8.8', '8.8.8.8', 4],
    ['2001:4860:4860::8888', '2001:4860:4860::8888', 6],
    ['2001:4860:4860:0:0:0:0:8888', '2001:4860:4860::8888', 6],
    ['2A00:1450:4001::1', '2a00:1450:4001::1', 6],
    ['::ffff:8.8.8.8', '8.8.8.8', 4],
    ['::FFFF:0808:0808', '8.8.8.8', 4],
    ['0:0:0:0:0:ffff:1.0.0.255', '1.0.0.255', 4],
    ['172.15.255.255', '172.15.255.255', 4],
    ['172.32.0.0', '172.32.0.0', 4],
    ['2001:200::1', '2001:200::1', 6],
    ['2000::', '2000::', 6],
  ] as const)('%s can be looked up as %s', (text, canonical, version) => {
    expect(readAddress(text)).toEqual({ kind: 'public', text: canonical, version })
  })

  it.each([
    ['10.1.2.3', 'private', '10.0.0.0/8'],
    ['172.31.255.255', 'private', '172.16.0.0/12'],
    ['192.168.0.1', 'private', '192.168.0.0/16'],
    ['100.127.0.1', 'private', '100.64.0.0/10'],
    ['fd12:3456::1', 'private', 'fc00::/7'],
    ['::ffff:10.0.0.1', 'private', '10.0.0.0/8'],
    ['127.0.0.1', 'reserved', '127.0.0.0/8'],
    ['::ffff:7f00:1', 'reserved', '127.0.0.0/8'],
    ['::1', 'reserved', '::1/128'],
    ['::', 'reserved', '::/128'],
    ['0.0.0.0', 'reserved', '0.0.0.0/8'],
    ['169.254.169.254', 'reserved', '169.254.0.0/16'],
    ['203.0.113.7', 'reserved', '203.0.113.0/24'],
    ['255.255.255.255', 'reserved', '240.0.0.0/4'],
    ['fe80::1', 'reserved', 'fe80::/10'],
    ['ff02::1', 'reserved', 'ff00::/8'],
    ['2001:db8::1', 'reserved', '2001:db8::/32'],
    ['2001:1ff::1', 'reserved', '2001::/23'],
    ['1fff::1', 'reserved', '::/3'],
    ['4000::1', 'reserved', '4000::/2'],
  ] as const)('%s is nowhere: %s, of %s', (text, kind, network) => {
    expect(readAddress(text)).toMatchObject({ kind, network })
  })

  it.each([
    '',
    ' ',
    '8.8.8',
    '8.8.8.8.8',
    '256.1.1.1',
    '010.0.0.1',
    '8.8.8.8/24',
    'fe80::1%eth0',
    '[::1]',
    'localhost',
    ':::',
    '1::2::3',
    '٨.8.8.8',
  ])('%j is none', (text) => {
    expect(readAddress(text)).toEqual({ kind: 'invalid' })
  })

  it('is the same however it is spelled', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const read = readAddress(text)
        expect('text' in read ? readAddress(read.text) : read).toEqual(read)
        expect(readAddress(text.toUpperCase())).toEqual(read)
      }),
    )
  })

  it('is never an exception', () => {
    const kinds = ['public', 'private', 'reserved', 'invalid']
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => kinds.includes(readAddress(text).kind)))
    fc.assert(fc.property(fc.ipV4(), (text) => kinds.indexOf(readAddress(text).kind) < 3))
    expect(kinds).toContain(readAddress('a'.repeat(100_000)).kind)
  })
})

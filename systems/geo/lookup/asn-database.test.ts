import { describe, expect, it } from 'vitest'
import { type PublicAddress, readAddress } from './address.ts'
import { openAsnDatabase } from './asn-database.ts'

const at = (text: string) => readAddress(text) as PublicAddress
const open = (text: string | Buffer, version: 4 | 6 = 4) => openAsnDatabase(Buffer.from(text), 'asn.csv', version)
const system = (number: number, organisation: string) => ({
  autonomous_system_number: number,
  autonomous_system_organization: organisation,
})

/** 1.0.0.0/24, 1.0.1.0/24, and a gap before 1.0.3.0/24. */
const row = (first: number, rest: string) => `${16_777_216 + first * 256},${16_777_216 + first * 256 + 255},${rest}\n`

describe('a file of autonomous systems', () => {
  it('knows whose an address is, from the first of a range to the last', async () => {
    const find = await open(row(0, '13335,"Cloudflare, Inc."') + row(1, '64500,Plain Ltd') + row(3, '64501,Other'))
    const known = ['1.0.0.0', '1.0.0.255', '::ffff:1.0.0.7'].map((text) => find(at(text)))
    expect(new Set(known)).toEqual(new Set([system(13335, 'Cloudflare, Inc.')]))
    expect(find(at('1.0.1.0'))).toEqual(system(64500, 'Plain Ltd'))
    expect(find(at('1.0.3.255'))).toEqual(system(64501, 'Other'))
    expect(
      ['0.255.255.255', '1.0.2.0', '1.0.2.255', '1.0.4.0'].map((text) => find({ kind: 'public', text, version: 4 })),
    ).toEqual(Array.from({ length: 4 }))
  })

  it('knows systems of IPv6', async () => {
    const first = 0x2a00n << 112n
    const find = await open(`${first},${first + 2n ** 64n},4294967295,Six\n`, 6)
    expect(find(at('2a00::'))).toEqual(system(4_294_967_295, 'Six'))
    expect(find(at('2a00::1:0:0:0:0'))).toEqual(system(4_294_967_295, 'Six'))
    expect(find(at('2a00::1:0:0:0:1'))).toBeUndefined()
  })

  it('reads an organisation as it is written: quotes, none, other scripts, two of one number', async () => {
    const names = ['"LLC ""SPUTNIK"""', '""', '', 'Société Générale', '"Ünïcode, ""株式会社"""']
    const find = await open(names.map((name, third) => row(third, `64500,${name}`)).join(''))
    expect(names.map((_, third) => find(at(`1.0.${third}.1`))?.autonomous_system_organization)).toEqual([
      'LLC "SPUTNIK"',
      '',
      '',
      'Société Générale',
      'Ünïcode, "株式会社"',
    ])
  })

  it.each<[why: string, second: string, message: RegExp]>([
    ['is empty', '\n', /numbers/],
    ['is a header', 'first,last,asn,organisation\n', /numbers/],
    ['has no organisation', '16777472,16777727,64500\n', /numbers/],
    ['has a space before a number', '16777472, 16777727,64500,x\n', /numbers/],
    ['has a negative number', '-1,16777727,64500,x\n', /numbers/],
    ['has a number with a leading zero', '016777472,16777727,64500,x\n', /numbers/],
    ['has an address that is longer than any', `${'9'.repeat(40)},16777727,64500,x\n`, /numbers/],
    ['has dotted addresses', '1.0.1.0,1.0.1.255,64500,x\n', /numbers/],
    ['ends with CR and LF', '16777472,16777727,64500,x\r\n', /control character/],
    ['has a NUL in it', '16777472,16777727,64500,x\0y\n', /control character/],
    ['is not UTF-8', '16777472,16777727,64500,\xff\n', /UTF-8/],
    ['has one column too many', '16777472,16777727,64500,x,y\n', /quotes/],
    ['has a quote in the middle', '16777472,16777727,64500,x"y"\n', /quotes/],
    ['has a quote that does not end', '16777472,16777727,64500,"x\n', /quotes/],
    ['has something after its quote', '16777472,16777727,64500,"x"y\n', /quotes/],
    ['has a lone quote in quotes', '16777472,16777727,64500,"x"y"\n', /quotes/],
    ['is of the system 0', '16777472,16777727,0,x\n', /system 0/],
    ['is of a system beyond 32 bits', '16777472,16777727,4294967296,x\n', /system 4294967296/],
    ['is longer than rows may be', `16777472,16777727,64500,${'x'.repeat(1_024)}\n`, /longer than 1024 bytes/],
    ['is cut', '16777472,16777727,645', /is cut/],
    ['is only the beginning of one', '167', /is cut/],
    ['ends before it begins', '16777472,16777471,64500,x\n', /ends before it begins/],
    ['goes back', '16777216,16777471,64500,x\n', /after the row before/],
    ['is of IPv6', '42540528726795050063891204319802818560,42540528726795050063891204319802818561,1,x\n', /no IPv4/],
  ])('is refused with file and line when a row %s', async (_, second, message) => {
    const opening = open(Buffer.from(row(0, '64500,Fine') + second, 'latin1'))
    await expect(opening).rejects.toThrow(/^asn\.csv:2: the row /)
    await expect(opening).rejects.toThrow(message)
  })

  it('is refused when it is empty, and when it is for IPv4 in the place of one for IPv6', async () => {
    await expect(open('')).rejects.toThrow(/asn\.csv holds no autonomous systems/)
    await expect(open(row(0, '64500,x'), 6)).rejects.toThrow(/asn\.csv:1: .*no IPv6 address/)
  })
})

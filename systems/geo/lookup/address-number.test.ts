import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { type PublicAddress, readAddress } from './address.ts'
import { addressNumber } from './address-number.ts'

const numberOf = (text: string) => addressNumber(readAddress(text) as PublicAddress)

it('the number of an address is that of its bits', () => {
  expect(numberOf('1.0.0.0')).toBe(16_777_216)
  expect(numberOf('223.255.254.255')).toBe(3_758_096_127)
  expect(numberOf('::ffff:1.0.0.1')).toBe(16_777_217)
  expect(numberOf('2001:200::')).toBe(42_540_528_726_795_050_063_891_204_319_802_818_560n)
  expect(numberOf('2C0F:FFF0:ffff:ffff:ffff:ffff:ffff:ffff')).toBe(58_569_107_375_850_417_935_858_934_690_443_427_839n)
})

it('every address of IPv6 comes back from its text', () => {
  // 2000::/3, with long and short runs of zeros.
  const group = fc.oneof(fc.constant(0), fc.nat(0xffff))
  fc.assert(
    fc.property(
      fc.integer({ min: 0x2400, max: 0x3ffe }),
      fc.array(group, { minLength: 7, maxLength: 7 }),
      (head, tail) => {
        const groups = [head, ...tail]
        const number = groups.reduce((sum, each) => sum * 65_536n + BigInt(each), 0n)
        expect(numberOf(groups.map((each) => each.toString(16)).join(':'))).toBe(number)
      },
    ),
  )
})

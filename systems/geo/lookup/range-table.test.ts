import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rangeTable } from './range-table.ts'

const max = { 4: 2n ** 32n - 1n, 6: 2n ** 128n - 1n }
const min = { 4: 0n, 6: 2n ** 32n }
type Range = readonly [first: bigint, last: bigint]

/** As the reader of a file gives addresses. */
const asRead = (address: bigint) => (address < 10n ** 15n ? Number(address) : address)

function tableOf(version: 4 | 6, ranges: readonly Range[]) {
  const table = rangeTable(version)
  for (const [first, last] of ranges) table.add(asRead(first), asRead(last))
  const find = table.close()
  return (address: bigint) => find(version === 4 ? Number(address) : address)
}

/** Ranges whose beginnings and ends ascend: with gaps, without, overlapping, of one address. */
function rangesOf(version: 4 | 6): fc.Arbitrary<Range[]> {
  const near = fc.bigInt(min[version], min[version] + 60n)
  const nearEnd = fc.bigInt(max[version] - 60n, max[version])
  const middle = fc.bigInt(2n ** 64n - 30n, 2n ** 64n + 30n).filter((address) => address <= max[version])
  const address = version === 4 ? fc.oneof(near, nearEnd) : fc.oneof(near, middle, nearEnd)
  const set = { minLength: 0, maxLength: 30 }
  return fc.tuple(fc.uniqueArray(address, set), fc.uniqueArray(address, set)).map(([some, others]) => {
    const firsts = some.toSorted(ascending)
    const lasts = others.toSorted(ascending)
    return firsts.slice(0, lasts.length).flatMap((first, at): Range[] => {
      const last = lasts[at] as bigint
      return first <= last ? [[first, last]] : []
    })
  })
}

const ascending = (one: bigint, other: bigint) => (one < other ? -1 : one > other ? 1 : 0)

describe.each([4, 6] as const)('a table of ranges of IPv%s', (version) => {
  it('finds what a look at every range, from the last to the first, finds', () => {
    fc.assert(
      fc.property(rangesOf(version), fc.bigInt(min[version], max[version]), (ranges, anywhere) => {
        const find = tableOf(version, ranges)
        const edges = ranges.flatMap(([first, last]) => [first - 1n, first, first + 1n, last - 1n, last, last + 1n])
        const inside = [...edges, anywhere].filter((address) => address >= 0n && address <= max[version])
        for (const address of inside) {
          expect(find(address)).toBe(ranges.findLastIndex(([first, last]) => first <= address && address <= last))
        }
      }),
    )
  })

  it('holds the first and the last address there is, and nothing when it is empty', () => {
    const find = tableOf(version, [
      [min[version], min[version]],
      [max[version], max[version]],
    ])
    expect([min[version], min[version] + 1n, max[version] - 1n, max[version]].map(find)).toEqual([0, -1, -1, 1])
    expect([min[version], max[version]].map(tableOf(version, []))).toEqual([-1, -1])
  })

  it.each<[why: string, ranges: Range[], message: RegExp]>([
    ['ends before it begins', [[9n, 8n]], /ends before/],
    [
      'begins where the one before does',
      [
        [1n, 5n],
        [1n, 6n],
      ],
      /after the row before/,
    ],
    [
      'begins before the one before',
      [
        [5n, 6n],
        [4n, 7n],
      ],
      /after the row before/,
    ],
    [
      'is held by the one before',
      [
        [1n, 9n],
        [2n, 9n],
      ],
      /after the row before/,
    ],
  ])('refuses a range that %s', (_, ranges, message) => {
    const shifted = ranges.map(([first, last]): Range => [min[version] + first, min[version] + last])
    expect(() => tableOf(version, shifted)).toThrow(message)
  })
})

describe('a table of ranges', () => {
  it('refuses addresses of the other version, and such as there are not', () => {
    expect(() => tableOf(4, [[0n, max[4] + 1n]])).toThrow(/4294967296, which is no IPv4 address/)
    expect(() => tableOf(4, [[0n, max[6]]])).toThrow(/no IPv4 address/)
    expect(() => tableOf(6, [[max[4], max[6]]])).toThrow(/4294967295, which is no IPv6 address/)
    expect(() => tableOf(6, [[min[6], max[6] + 1n]])).toThrow(/no IPv6 address/)
  })
})

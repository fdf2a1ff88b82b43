import { isDeepStrictEqual } from 'node:util'
import { assert, property, uniqueArray, string, jsonValue, tuple } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, fingerprintOf } from './fingerprint.ts'

describe('the fingerprint of an input', () => {
  it('is the same for the same fields in another order, and without those that are undefined', () => {
    const fields = uniqueArray(tuple(string(), jsonValue()), { selector: ([name]) => name })
    assert(
      property(fields, (entries) => {
        const turned = { ...Object.fromEntries(entries.toReversed()), absent: undefined }
        const { absent: _absent, ...rest } = Object.fromEntries(entries)
        expect(fingerprintOf({ ...turned, absent: undefined })).toBe(fingerprintOf(rest))
      }),
    )
  })

  it('differs where JSON values differ', () => {
    assert(
      property(jsonValue(), jsonValue(), (one, other) => {
        // Read again from its text, zero has no sign.
        const [left, right] = [one, other].map((value) => JSON.parse(JSON.stringify(value)) as unknown)
        expect(canonical(one) === canonical(other)).toBe(isDeepStrictEqual(left, right))
      }),
    )
  })

  it('tells values apart that are no JSON', () => {
    const day = 86_400_000
    const values = [
      null,
      undefined,
      true,
      false,
      0,
      1,
      '',
      '0',
      'u',
      'n1',
      1n,
      '1',
      [],
      [1],
      ['1'],
      {},
      { a: 1 },
      { a: '1' },
      new Date(0),
      new Date(day),
      0.5,
      Number.NaN,
      new Uint8Array(),
      Uint8Array.of(1),
      new URL('https://a.example/'),
      new Map([[1, 2]]),
      new Map([[2, 1]]),
      new Set([1]),
      new Set([1, 2]),
    ]
    expect(new Set(values.map(fingerprintOf)).size).toBe(values.length)
    expect(canonical(new Set([2, 1]))).toBe(canonical(new Set([1, 2])))
    expect(canonical(new Date(day))).toBe(canonical(new Date(day)))
  })
})

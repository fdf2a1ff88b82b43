import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compileOperation } from './compile-operation.ts'
import { contract, cursorCharactersMax, decodeCursor, encodeCursor, get, page, pageInput } from './index.ts'

const shop = contract('shop', {
  version: '1.0.0',
  operations: {
    list: get('/items', {
      input: z.object({ query: z.string().optional(), ...pageInput({ limitMax: 50 }) }),
      output: page(z.object({ id: z.string() })),
    }),
  },
})
const list = compileOperation(shop.operations.list)
const asked = (query: string) =>
  list.parseRest({ params: {}, query, headers: {}, contentType: undefined, body: undefined })

describe('a page', () => {
  it('is asked for by cursor and limit, within bounds', () => {
    expect(asked('')).toEqual({ ok: true, value: { limit: 20 } })
    expect(asked('cursor=abc&limit=50')).toEqual({ ok: true, value: { cursor: 'abc', limit: 50 } })
    expect(asked('limit=51')).toMatchObject({ faults: [{ pointer: '/limit', detail: 'must be <= 50' }] })
    expect(asked('limit=0').ok).toBe(false)
    expect(asked(`cursor=${'a'.repeat(cursorCharactersMax + 1)}`).ok).toBe(false)
  })

  it('has items and the next cursor, null at the end', () => {
    expect(list.parseOutput({ items: [{ id: 'a', more: 1 }], next: null }, 200)).toEqual({
      ok: true,
      value: { items: [{ id: 'a' }], next: null },
    })
    expect(list.parseOutput({ items: [] }, 200)).toMatchObject({ ok: false, faults: [{ pointer: '/next' }] })
  })
})

describe('a cursor', () => {
  it('is read as it was written, and stands in a query without escapes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), (position) => {
        const json: unknown = JSON.parse(JSON.stringify(position))
        const cursor = encodeCursor(json)
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/)
        expect(isDeepStrictEqual(decodeCursor(cursor, z.json()), json)).toBe(true)
      }),
      { numRuns: 200, seed: 20_270_105 },
    )
  })

  it('is nothing when anybody made it up or changed it', () => {
    const Position = z.tuple([z.iso.datetime(), z.uuid()])
    const cursor = encodeCursor(['2026-01-01T00:00:00Z', '0190d3c5-7b3a-7000-8000-000000000000'])
    expect(decodeCursor(cursor, Position)).toHaveLength(2)
    const others = [
      '',
      '!',
      'abc',
      `${cursor}=`,
      `${cursor} `,
      cursor.slice(1),
      encodeCursor(['x']),
      encodeCursor(null),
      'gA',
      'A'.repeat(2_000),
    ]
    for (const other of others) expect(decodeCursor(other, Position)).toBeUndefined()
  })

  it('has one form: the same bytes written otherwise are refused', () => {
    // The last character carries unused bits.
    expect(encodeCursor(1)).toBe('MQ')
    expect(decodeCursor('MR', z.int())).toBeUndefined()
  })

  it('is bounded', () => {
    expect(() => encodeCursor('x'.repeat(1_000))).toThrowError('at most 1024 characters')
  })
})

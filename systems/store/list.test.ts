import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cutPage, readCursor, writeCursor } from './list.ts'

const shape = z.tuple([z.number(), z.string()])

describe('a cursor', () => {
  it('reads back as the place that was written', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), fc.string(), (rank, id, query) => {
        expect(readCursor([query], writeCursor([query], [rank, id]), shape)).toEqual([rank, id])
      }),
    )
  })

  it('belongs to the list that gave it out', () => {
    const cursor = writeCursor(['kettle', null], [1, 'a'])
    expect(readCursor(['kettle', 'kitchen'], cursor, shape)).toBeUndefined()
    expect(readCursor(['pan', null], cursor, shape)).toBeUndefined()
  })

  it('is refused when it holds a place of another shape', () => {
    expect(readCursor(['x'], writeCursor(['x'], ['a', 'b']), shape)).toBeUndefined()
    expect(readCursor(['x'], writeCursor(['x'], [1]), shape)).toBeUndefined()
    expect(readCursor(['x'], writeCursor(['x'], [1, 'b', 2]), shape)).toBeUndefined()
  })

  it('is refused, never an exception, when it is any other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(readCursor(['x'], text, shape)).toBeUndefined()
        expect(readCursor(['x'], Buffer.from(text).toString('base64url'), shape)).toBeUndefined()
      }),
    )
  })
})

describe('a page', () => {
  it('says that there is a next one exactly when a row was left over', () => {
    const after = (row: number) => `after ${row}`
    expect(cutPage([1, 2, 3], 2, after)).toEqual({ items: [1, 2], next: 'after 2' })
    expect(cutPage([1, 2], 2, after)).toEqual({ items: [1, 2], next: null })
    expect(cutPage([], 2, after)).toEqual({ items: [], next: null })
  })
})

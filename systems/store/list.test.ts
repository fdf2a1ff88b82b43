import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cursorBehind, cutPage, placeOf } from './list.ts'

const shape = z.tuple([z.number(), z.string()])

describe('a cursor', () => {
  it('reads back as the place that was written', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), fc.string(), (rank, id, query) => {
        expect(placeOf([query], cursorBehind([query], [rank, id]), shape)).toEqual([rank, id])
      }),
    )
  })

  it('belongs to the list that gave it out', () => {
    const cursor = cursorBehind(['kettle', null], [1, 'a'])
    expect(placeOf(['kettle', 'kitchen'], cursor, shape)).toBeUndefined()
    expect(placeOf(['pan', null], cursor, shape)).toBeUndefined()
  })

  it('is refused when it holds a place of another shape', () => {
    expect(placeOf(['x'], cursorBehind(['x'], ['a', 'b']), shape)).toBeUndefined()
    expect(placeOf(['x'], cursorBehind(['x'], [1]), shape)).toBeUndefined()
    expect(placeOf(['x'], cursorBehind(['x'], [1, 'b', 2]), shape)).toBeUndefined()
  })

  it('is refused, never an exception, when it is any other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(placeOf(['x'], text, shape)).toBeUndefined()
        expect(placeOf(['x'], Buffer.from(text).toString('base64url'), shape)).toBeUndefined()
      }),
    )
  })
})

const after = (row: number) => `after ${row}`

describe('a page', () => {
  it('says that there is a next one exactly when a row was left over', () => {
    expect(cutPage([1, 2, 3], 2, after)).toEqual({ items: [1, 2], next: 'after 2' })
    expect(cutPage([1, 2], 2, after)).toEqual({ items: [1, 2], next: null })
    expect(cutPage([], 2, after)).toEqual({ items: [], next: null })
  })
})

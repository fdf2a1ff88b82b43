import { createColors } from 'picocolors'
import { describe, expect, it } from 'vitest'
import { showBytes, showDuration } from './quantities.ts'
import { textTable } from './table.ts'

describe('a table', () => {
  it('is as wide as its cells, also when they have colours', () => {
    const { green } = createColors(true)
    const text = textTable(
      [{ title: 'NAME' }, { title: 'N', align: 'right' }],
      [
        [green('orders'), '10'],
        ['x', '7'],
      ],
    )
    expect(text).toBe(`NAME      N\n${green('orders')}   10\nx         7\n`)
  })

  it('shows what a terminal would obey, and keeps each row on its line', () => {
    const text = textTable([{ title: 'KEY' }, { title: 'WHY' }], [['a\u001b[2Jb', 'first\nsecond\u0007']])
    expect(text).toBe('KEY           WHY\na\\u001b[2Jb   first\\u000asecond\\u0007\n')
  })
})

describe('a quantity', () => {
  it.each([
    [999, '0 s'],
    [59_999, '59 s'],
    [61_000, '1 min 1 s'],
    [3_660_000, '1 h 1 min'],
    [90_000_000, '1 d 1 h'],
  ])('of %i ms reads %s', (ms, text) => expect(showDuration(ms)).toBe(text))

  it('of memory is whole mebibytes', () => expect(showBytes(35_651_584)).toBe('34 MiB'))
})

import { describe, expect, it } from 'vitest'
import { type Duration, durationMs } from './duration.ts'

describe('a duration', () => {
  it.each([
    ['1 millisecond', 1],
    ['90 seconds', 90_000],
    ['15 minutes', 900_000],
    ['1.5 hours', 5_400_000],
    ['1 day', 86_400_000],
  ] as const)('%s is %i ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms)
  })

  it.each(['15', '15minutes', ' 1 day', '-1 days', '1e3 seconds', '0 seconds', '25 days', 'often', '1 week'])(
    '%s is refused',
    (text) => {
      expect(() => durationMs(text as Duration)).toThrow(RangeError)
    },
  )
})

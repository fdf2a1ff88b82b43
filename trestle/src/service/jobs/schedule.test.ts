import { describe, expect, it } from 'vitest'
import { atSchedule, cronSchedule, everySchedule, type Schedule } from './schedule.ts'

const at = (text: string) => Date.parse(text)
const ticks = (schedule: Schedule, from: string, count: number) => {
  const found: string[] = []
  for (let tick = schedule.first(at(from)); tick !== undefined && found.length < count; ) {
    found.push(new Date(tick).toISOString())
    tick = schedule.next(tick, tick)
  }
  return found
}

describe('a schedule', () => {
  it('of an interval has its ticks at equal distances, however late the look', () => {
    const schedule = everySchedule('15 minutes')
    expect(ticks(schedule, '2027-03-01T00:07:00Z', 2)).toEqual(['2027-03-01T00:22:00.000Z', '2027-03-01T00:37:00.000Z'])
    const late = schedule.next(at('2027-03-01T00:07:00Z'), at('2027-03-01T03:00:00Z'))
    expect(late).toBe(at('2027-03-01T03:07:00Z'))
    expect(schedule.next(at('2027-03-01T00:00:00Z'), at('2027-02-01T00:00:00Z'))).toBe(at('2027-03-01T00:15:00Z'))
  })

  it('of one time has one tick, also when it has passed', () => {
    const schedule = atSchedule('2027-01-01T01:00:00+01:00')
    expect(ticks(schedule, '2026-06-01T00:00:00Z', 3)).toEqual(['2027-01-01T00:00:00.000Z'])
    expect(ticks(schedule, '2028-06-01T00:00:00Z', 3)).toEqual(['2027-01-01T00:00:00.000Z'])
    const [early, late] = [at('2026-06-01T00:00:00Z'), at('2028-06-01T00:00:00Z')]
    expect([schedule.next(early, early), schedule.next(late, late)]).toEqual([at('2027-01-01T00:00:00Z'), undefined])
  })

  it('of a cron expression keeps to the local time of its zone over both changes of the clocks', () => {
    const nightly = cronSchedule('30 2 * * *', { timeZone: 'Europe/Berlin' })
    expect(ticks(nightly, '2027-03-26T12:00:00Z', 3)).toEqual([
      '2027-03-27T01:30:00.000Z',
      // 02:30 does not exist on this day: 02:00 is 03:00.
      '2027-03-28T01:00:00.000Z',
      '2027-03-29T00:30:00.000Z',
    ])
    expect(ticks(nightly, '2027-10-30T12:00:00Z', 2)).toEqual(['2027-10-31T00:30:00.000Z', '2027-11-01T01:30:00.000Z'])
  })

  it('of a cron expression may name seconds, and is in UTC unless it says otherwise', () => {
    expect(ticks(cronSchedule('*/20 * * * * *'), '2027-01-01T00:00:00Z', 3)).toEqual([
      '2027-01-01T00:00:20.000Z',
      '2027-01-01T00:00:40.000Z',
      '2027-01-01T00:01:00.000Z',
    ])
    expect(ticks(cronSchedule('0 9 * * mon'), '2027-01-01T00:00:00Z', 1)).toEqual(['2027-01-04T09:00:00.000Z'])
  })

  it.each([
    ["'61 * * * *' in the time zone UTC is no cron expression", () => cronSchedule('61 * * * *')],
    [
      'in the time zone Mars/Olympus is no cron expression',
      () => cronSchedule('0 * * * *', { timeZone: 'Mars/Olympus' }),
    ],
    ["'tomorrow' is not a time with its zone", () => atSchedule('tomorrow')],
    ["'2027-01-01T00:00:00' is not a time with its zone", () => atSchedule('2027-01-01T00:00:00')],
    ["'soon' is not a duration", () => everySchedule('soon' as never)],
  ])('is refused: %s', (message, make) => {
    expect(make).toThrow(RangeError)
    expect(make).toThrow(message)
  })
})

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

  it.each([
    // At 02:00 it is 03:00; at 03:00 it is 02:00 once more.
    ['Europe/Berlin', '30 2,14 * * *', '2027-03-27T23:00Z', ['28T01:00', '28T12:30', '29T00:30']],
    ['Europe/Berlin', '30 2,14 * * *', '2027-10-30T22:00Z', ['31T00:30', '31T13:30', '01T01:30']],
    // Several that are left out come right after the change, as one.
    ['Europe/Berlin', '0,30 2 * * *', '2027-03-27T23:00Z', ['28T01:00', '29T00:00', '29T00:30']],
    ['Europe/Berlin', '0,30 2 * * *', '2027-10-30T22:00Z', ['31T00:00', '31T00:30', '01T01:00']],
    ['Europe/Berlin', '0 1-3 * * *', '2027-03-27T23:00Z', ['28T00:00', '28T01:00', '28T23:00']],
    ['Europe/Berlin', '0 1-3 * * *', '2027-10-30T22:00Z', ['30T23:00', '31T00:00', '31T02:00', '01T00:00']],
    // At 02:00 it is 03:00; at 02:00 it is 01:00 once more.
    ['America/New_York', '30 2 * * *', '2027-03-14T04:00Z', ['14T07:00', '15T06:30']],
    ['America/New_York', '30 1 * * *', '2027-11-07T04:00Z', ['07T05:30', '08T06:30']],
    ['America/New_York', '15,45 2 * * *', '2027-03-14T04:00Z', ['14T07:00', '15T06:15', '15T06:45']],
    ['America/New_York', '15,45 1 * * *', '2027-11-07T04:00Z', ['07T05:15', '07T05:45', '08T06:15']],
    ['America/New_York', '45 1-2 * * *', '2027-03-14T04:00Z', ['14T06:45', '14T07:00', '15T05:45']],
    ['America/New_York', '45 1-2 * * *', '2027-11-07T04:00Z', ['07T05:45', '07T07:45', '08T06:45']],
    // At 02:00 it is 02:30; at 02:00 it is 01:30 once more.
    ['Australia/Lord_Howe', '15 2 * * *', '2027-10-02T13:00Z', ['02T15:30', '03T15:15']],
    ['Australia/Lord_Howe', '45 1 * * *', '2027-04-03T13:00Z', ['03T14:45', '04T15:15']],
    ['Australia/Lord_Howe', '0 1-3 * * *', '2027-10-02T13:00Z', ['02T14:30', '02T15:30', '02T16:00', '03T14:00']],
    ['Australia/Lord_Howe', '15,45 1 * * *', '2027-04-03T13:00Z', ['03T14:15', '03T14:45', '04T14:45', '04T15:15']],
  ])('in %s of the times %s has each once a day over the change after %s', (timeZone, expression, from, wanted) => {
    const found = ticks(cronSchedule(expression, { timeZone }), from, wanted.length)
    expect(found.map((tick) => tick.slice(8, 16))).toEqual(wanted)
  })

  it.each([
    [
      'Europe/Berlin',
      '*/30 1-3 * * *',
      '2027-03-27T23:00Z',
      ['28T00:00', '28T00:30', '28T01:00', '28T01:30', '28T23:00'],
    ],
    ['Europe/Berlin', '0 * * * *', '2027-10-30T23:30Z', ['31T00:00', '31T01:00', '31T02:00']],
    ['America/New_York', '0 */2 * * *', '2027-03-14T05:30Z', ['14T08:00', '14T10:00']],
    ['America/New_York', '0 0-4/2 * * *', '2027-03-14T05:30Z', ['14T08:00', '15T04:00']],
    [
      'America/New_York',
      '*/30 1 * * *',
      '2027-11-07T04:00Z',
      ['07T05:00', '07T05:30', '07T06:00', '07T06:30', '08T06:00'],
    ],
    ['Australia/Lord_Howe', '*/15 * * * *', '2027-10-02T15:10Z', ['02T15:15', '02T15:30', '02T15:45']],
    ['Australia/Lord_Howe', '45 * * * *', '2027-04-03T14:00Z', ['03T14:45', '03T15:15', '03T16:15']],
  ])('in %s of the steps %s goes on through the change after %s', (timeZone, expression, from, wanted) => {
    const found = ticks(cronSchedule(expression, { timeZone }), from, wanted.length)
    expect(found.map((tick) => tick.slice(8, 16))).toEqual(wanted)
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

import { describe, expect, it } from 'vitest'
import { checkNames } from './read-migrations.ts'
import { nextToApply } from './run-migrations.ts'

const migration = (number: number, checksum = 'c') => ({ number, name: `000${number}-a.sql`, sql: '', checksum })

describe('the names of migrations', () => {
  it('form one sequence', () => {
    expect(() => checkNames(['0001-create-orders.sql', '0002-index.sql'])).not.toThrow()
    expect(() => checkNames([])).not.toThrow()
  })

  it.each([
    [['0001-a.sql', '0003-b.sql'], 'there is no migration 0002 before 0003-b.sql'],
    [['0002-a.sql'], 'there is no migration 0001 before 0002-a.sql'],
    [['0001-a.sql', '0001-b.sql'], '0001-b.sql and 0001-a.sql have the same number'],
    [['1-a.sql'], '1-a.sql is not named like'],
    [['0001_a.sql'], '0001_a.sql is not named like'],
  ])('%j is refused', (names, message) => {
    expect(() => checkNames(names)).toThrow(message)
    expect(() => checkNames(names)).toThrow(expect.objectContaining({ code: 'migration_invalid' }))
  })
})

describe('what to apply next', () => {
  it('is the first that has not run', () => {
    expect(nextToApply([migration(1), migration(2)], [migration(1)])?.number).toBe(2)
    expect(nextToApply([migration(1)], [migration(1)])).toBeUndefined()
  })

  it('leaves alone what a newer version has applied', () => {
    expect(nextToApply([migration(1)], [migration(1), migration(2)])).toBeUndefined()
  })

  it('is nothing when a file that ran was changed: it names the file and the remedy', () => {
    expect(() => nextToApply([migration(1, 'other')], [migration(1)])).toThrow(
      expect.objectContaining({
        code: 'migration_changed',
        message: expect.stringMatching(/0001-a\.sql.*new migration/s),
      }),
    )
  })
})

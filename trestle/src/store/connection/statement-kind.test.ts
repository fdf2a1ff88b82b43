import { describe, expect, it } from 'vitest'
import { statementKind } from './statement-kind.ts'

describe('statementKind', () => {
  it.each([
    ['select * from a', 'read'],
    ['  -- why\n /* and */ with x as (select 1) select * from x', 'read'],
    ['select * from a for update skip locked', 'own'],
    ['SELECT * FROM a FOR NO KEY UPDATE', 'own'],
    ['insert into a values (1)', 'own'],
    ['update a set b = 1', 'own'],
    ['begin', 'session'],
    ['set search_path = x', 'session'],
    ['select pg_advisory_lock(1)', 'session'],
    ['select pg_try_advisory_xact_lock(1)', 'read'],
    ['settings', 'own'],
  ] as const)('%s: %s', (sql, kind) => {
    expect(statementKind({ sql })).toBe(kind)
  })
})

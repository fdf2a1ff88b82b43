import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StatementNames } from './statement-names.ts'

describe('StatementNames', () => {
  it('gives the same statement the same name', () => {
    const names = new StatementNames(2)
    const first = names.nameFor('select 1').name
    expect(names.nameFor('select 1')).toEqual({ name: first })
  })

  it('gives up the least recently used beyond the bound', () => {
    const names = new StatementNames(2)
    const [one, two] = [names.nameFor('select 1').name, names.nameFor('select 2').name]
    names.nameFor('select 1')
    expect(names.nameFor('select 3').evicted).toBe(two)
    expect(names.nameFor('select 1').name).toBe(one)
  })

  it('never gives a name twice, keeps to its bound, and tells each eviction once', () => {
    const use = fc.record({ sql: fc.integer({ min: 0, max: 9 }), forget: fc.boolean() })
    fc.assert(
      fc.property(fc.array(use, { minLength: 1, maxLength: 200 }), (uses) => {
        const names = new StatementNames(3)
        const owner = new Map<string, number>()
        const gone = new Set<string>()
        for (const { sql, forget } of uses) {
          const { name, evicted } = names.nameFor(String(sql))
          expect(owner.get(name) ?? sql).toBe(sql)
          expect(gone.has(name)).toBe(false)
          owner.set(name, sql)
          if (evicted !== undefined) gone.add(evicted)
          if (forget) gone.add(names.forget(String(sql)) as string)
          expect(names.size).toBeLessThanOrEqual(3)
        }
      }),
    )
  })
})

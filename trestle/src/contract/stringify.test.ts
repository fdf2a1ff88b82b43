import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fastSchema } from './stringify.ts'
import { hostileCase } from './testing/arbitrary-case.ts'
import { wireSchema } from './wire-schema.ts'

const runs = { numRuns: 150, seed: 20_270_101 }

const leaf = (name: string) => ({ name, children: [] })

describe('what is written', () => {
  it('equals the compiled copy, for any schema and value: parse(stringify(x)) = copy(x)', { timeout: 120_000 }, () => {
    let fast = 0
    let written = 0
    fc.assert(
      fc.property(hostileCase, ({ schema, value }) => {
        const wire = wireSchema(schema)
        const text = wire.stringify(value)
        const copy = wire.wire(value)
        expect(text.ok).toBe(copy.ok)
        if (!text.ok || !copy.ok) return
        written += 1
        if (fastSchema(schema) !== undefined) fast += 1
        expect(isDeepStrictEqual(JSON.parse(text.json), copy.value)).toBe(true)
        // And read by the other side it is what a local caller reads.
        expect(isDeepStrictEqual(wire.read(JSON.parse(text.json)), wire.read(value))).toBe(true)
      }),
      runs,
    )
    // Both ways of writing were taken, and most values were valid.
    expect(written).toBeGreaterThan(100)
    expect(fast).toBeGreaterThan(10)
    expect(written - fast).toBeGreaterThan(20)
  })

  it('is validated first: what fast-json-stringify alone would coerce is a fault', () => {
    const wire = wireSchema(z.object({ ok: z.boolean(), n: z.int() }))
    expect(wire.stringify({ ok: 'no', n: 1.9 })).toEqual({
      ok: false,
      faults: [
        { pointer: '/ok', detail: 'must be a boolean' },
        { pointer: '/n', detail: 'must be an integer' },
      ],
    })
  })

  it('has no field that the contract does not declare, at any depth', () => {
    const User = z.object({ id: z.string(), tags: z.array(z.object({ t: z.string() })) })
    const text = wireSchema(User).stringify({ id: '1', passwordHash: 'x', tags: [{ t: 'a', secret: 1 }] })
    expect(text).toEqual({ ok: true, json: '{"id":"1","tags":[{"t":"a"}]}' })
  })

  const Tree = z.object({
    name: z.string(),
    get children() {
      return z.array(Tree)
    },
  })
  const Nested: z.ZodType = z.lazy(() => z.union([z.string(), z.array(Nested)]))

  it.each<[string, z.ZodType, unknown]>([
    ['any JSON', z.json(), [1, 'a', true, null, { a: [{}] }]],
    ['any JSON in a field', z.object({ a: z.json(), b: z.json().optional() }), { a: { b: [null] } }],
    ['a schema that holds itself by a getter', Tree, { name: 'a', children: [leaf('b'), leaf('c')] }],
    ['the same in fields', z.object({ one: Tree, two: Tree.optional() }), { one: leaf('a') }],
    ['a lazy schema', Nested, ['a', ['b', []]]],
    [
      'a named one',
      z.object({ node: Tree.extend({ more: Nested }).meta({ id: 'Node' }) }),
      { node: { ...leaf('a'), more: [['b']] } },
    ],
  ])('may be recursive: %s', (_, schema, value) => {
    const wire = wireSchema(schema)
    const copy = { ok: true, value }
    expect([wire.stringify(value), wire.read(value), wire.wire(value)]).toEqual([
      { ok: true, json: JSON.stringify(value) },
      copy,
      copy,
    ])
    expect(wire.stringify(Symbol('no JSON'))).toMatchObject({ ok: false })
  })

  it('of a recursive schema reads each part once, however deep it lies', () => {
    let reads = 0
    const counted = new Proxy(
      { deep: 1 },
      {
        get(target, key) {
          reads += 1
          return Reflect.get(target, key)
        },
      },
    )
    const under = (levels: number): unknown => (levels === 0 ? counted : [under(levels - 1)])
    const wire = wireSchema(z.json())
    const readsAt = (levels: number) => {
      reads = 0
      expect(wire.wire(under(levels)).ok).toBe(true)
      return reads
    }
    readsAt(0)
    expect(readsAt(200)).toBe(readsAt(2))
  })

  it.each<[string, z.ZodType, unknown, string]>([
    ['lone surrogates', z.object({ a: z.string() }), { a: '\ud800' }, '{"a":"\\ud800"}'],
    ['minus zero', z.object({ a: z.number() }), { a: -0 }, '{"a":0}'],
    ['large numbers', z.object({ a: z.number() }), { a: 1e21 }, '{"a":1e+21}'],
    ['defaults', z.object({ a: z.string().default('x') }), {}, '{"a":"x"}'],
    ['undefined fields', z.object({ a: z.string().optional() }), { a: undefined }, '{}'],
    ['null', z.object({ a: z.object({}).nullable() }), { a: null }, '{"a":null}'],
    ['a nullable default', z.object({ a: z.string().nullable().default('x') }), { a: null }, '{"a":null}'],
    ['optional defaults', z.object({ a: z.string().default('x').optional() }), {}, '{"a":"x"}'],
    [
      'records',
      z.record(z.string(), z.int()),
      JSON.parse('{"__proto__":1,"constructor":2}'),
      '{"__proto__":1,"constructor":2}',
    ],
    ['a field called constructor', z.object({ constructor: z.string().optional() }), {}, '{}'],
  ])('says %s as JSON says them', (_, schema, value, json) => {
    expect(wireSchema(schema).stringify(value)).toEqual({ ok: true, json })
  })
})

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { formats, publishedFormat } from './formats.ts'
import { type Direction, type JsonSchema, jsonSchemaOf } from './json-schema.ts'
import { compileValidator } from './validator.ts'

const published = (schema: z.ZodType, direction: Direction = 'request') => jsonSchemaOf(schema, direction)
const accepts = (schema: z.ZodType, value: unknown) => compileValidator(published(schema))(value) === undefined

const instant = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
})

describe("the traps of Zod's JSON Schema", () => {
  it.each<Direction>(['request', 'reply'])(
    'a %s does not close plain objects: an added field would look breaking',
    (direction) => {
      const schema = published(z.object({ a: z.object({ b: z.string() }) }), direction)
      expect(JSON.stringify(schema)).not.toContain('additionalProperties')
    },
  )

  it('closes what says that it is strict, and only that', () => {
    expect(published(z.strictObject({}), 'reply')['additionalProperties']).toBe(false)
  })

  it('publishes the wire side of a codec in both directions, and says that it is one', () => {
    for (const direction of ['request', 'reply'] as const) {
      expect(published(instant, direction)).toEqual({ type: 'string', format: 'date-time', 'x-trestle-codec': true })
    }
  })

  it('lets a request leave out what has a default, and promises it in a reply', () => {
    const schema = z.object({
      a: z.string(),
      limit: z.int().default(20),
      at: instant.default(new Date(0)),
      tag: z.string().prefault('x'),
      o: z.string().optional(),
    })
    expect(published(schema, 'request')['required']).toEqual(['a'])
    expect(published(schema, 'reply')['required']).toEqual(['a', 'limit', 'at', 'tag'])
  })

  it('writes a default in wire form', () => {
    const properties = published(
      z.object({ at: instant.default(new Date(0)), list: z.array(z.string()).default(['a']) }),
    )['properties'] as Record<string, JsonSchema>
    expect(properties['at']?.['default']).toBe('1970-01-01T00:00:00.000Z')
    expect(properties['list']?.['default']).toEqual(['a'])
  })

  it('says the discriminator of a discriminated union, and that it is a union of objects', () => {
    const A = z.object({ kind: z.literal('a') })
    const B = z.object({ kind: z.literal('b'), n: z.number() })
    const schema = z.discriminatedUnion('kind', [A, B])
    expect(published(schema)).toMatchObject({
      type: 'object',
      discriminator: { propertyName: 'kind' },
      oneOf: [{}, {}],
    })
    expect(accepts(schema, { kind: 'b', n: 1 })).toBe(true)
    // Ajv's `discriminator` alone lets everything through that is no object.
    for (const wrong of ['a', 1, null, [], {}, { kind: 'c' }, { kind: 'b' }]) expect(accepts(schema, wrong)).toBe(false)
  })

  it('takes a discriminated union of named and of nested unions', () => {
    const A = z.object({ kind: z.literal('a') }).meta({ id: 'TrapA' })
    const B = z.object({ kind: z.enum(['b', 'c']) }).meta({ id: 'TrapB' })
    const nested = z.discriminatedUnion('kind', [
      z.discriminatedUnion('kind', [A, B]),
      z.object({ kind: z.literal('d') }),
    ])
    for (const kind of ['a', 'b', 'c', 'd']) expect(accepts(nested, { kind })).toBe(true)
    expect(accepts(nested, { kind: 'e' })).toBe(false)
    expect(accepts(z.discriminatedUnion('kind', [A, B]), { kind: 'c' })).toBe(true)
  })

  it.each<[string, z.ZodType, JsonSchema]>([
    ['date-time', z.iso.datetime(), { format: 'date-time' }],
    ['date', z.iso.date(), { format: 'date' }],
    ['duration', z.iso.duration(), { format: 'duration' }],
    ['email', z.email(), { format: 'email' }],
    ['uuid', z.uuid(), { format: 'uuid' }],
    ['uri', z.url(), { format: 'uri' }],
    ['ipv4', z.ipv4(), { format: 'ipv4' }],
    ['ipv6', z.ipv6(), { format: 'ipv6' }],
    ['byte', z.base64(), { format: 'byte', contentEncoding: 'base64' }],
    ['base64url', z.base64url(), { format: 'base64url' }],
  ])('says %s by its format, without the long pattern', (_, schema, keywords) => {
    expect(published(schema)).toEqual({ type: 'string', ...keywords })
  })

  it('keeps the pattern of what has no published format, and drops the format that nobody knows', () => {
    for (const schema of [
      z.cuid2(),
      z.ulid(),
      z.nanoid(),
      z.e164(),
      z.jwt(),
      z.string().startsWith('a'),
      z.iso.time(),
    ]) {
      const { format, pattern } = published(schema)
      expect(format).toBeUndefined()
      expect(pattern).toBeTypeOf('string')
    }
  })

  it('keeps every rule of a string that has several', () => {
    const schema = z
      .email()
      .regex(/^[a-z@.]+$/)
      .endsWith('.org')
      .max(20)
    expect(accepts(schema, 'a@example.org')).toBe(true)
    for (const wrong of ['a@example.com', 'A@example.org', 'example.org', 'aaaaaaaaaaaaaa@example.org']) {
      expect(accepts(schema, wrong)).toBe(false)
    }
  })

  it('names only formats that the validator knows', () => {
    expect(Object.values(publishedFormat).filter((format) => formats[format] === undefined)).toEqual([])
  })

  it('takes an offset where format date-time does', () => {
    expect(accepts(z.iso.datetime(), '2026-01-01T00:00:00+02:00')).toBe(true)
    expect(accepts(z.iso.datetime(), '2026-02-29T00:00:00Z')).toBe(false)
    expect(accepts(z.iso.datetime(), '2026-01-01 00:00:00Z')).toBe(false)
  })

  it('takes every UUID that format uuid means, and no urn', () => {
    expect(accepts(z.uuid(), '00000000-0000-0000-0000-000000000001')).toBe(true)
    expect(accepts(z.uuid(), 'urn:uuid:00000000-0000-0000-0000-000000000001')).toBe(false)
  })

  it('takes 19.99 as a multiple of 0.01', () => {
    expect(accepts(z.number().multipleOf(0.01), 19.99)).toBe(true)
    expect(accepts(z.number().multipleOf(0.01), 19.999)).toBe(false)
  })

  it('says of a named schema once, wherever it stands', () => {
    const Money = z.object({ amount: z.int() }).meta({ id: 'TrapMoney' })
    const schema = published(z.object({ a: Money, b: z.array(Money), c: Money.nullable() }))
    expect(Object.keys(schema['$defs'] as object)).toEqual(['TrapMoney'])
    expect(JSON.stringify(schema).match(/"amount"/g)).toHaveLength(2)
  })

  it('does not take .readonly(), which freezes in memory, for readOnly of JSON Schema', () => {
    expect(published(z.object({ a: z.array(z.string()).readonly() }))).not.toHaveProperty('properties.a.readOnly')
  })

  it('takes own fields only: no object has a constructor by birth', () => {
    const schema = z.object({ constructor: z.string(), toString: z.string().optional() })
    expect(accepts(schema, {})).toBe(false)
    expect(accepts(schema, { constructor: 'x' })).toBe(true)
    expect(accepts(z.object({ a: z.string().optional() }), JSON.parse('{"__proto__":{"a":1}}'))).toBe(true)
  })

  it('refuses numbers that JSON cannot say', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) expect(accepts(z.number(), value)).toBe(false)
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { plainCase } from './testing/arbitrary-case.ts'
import { wireSchema } from './wire-schema.ts'

/** Whether Zod, run on the wire form, accepts the value. */
const zodAccepts = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success
const wireAccepts = (schema: z.ZodType, value: unknown) => wireSchema(schema).read(value).ok

describe('the compiled validator and Zod', () => {
  it('agree on every generated value of every generated schema', { timeout: 120_000 }, () => {
    let accepted = 0
    let refused = 0
    fc.assert(
      fc.property(plainCase, ({ schema, value }) => {
        // JSON first: what cannot be JSON is not on the wire, and Zod would look at it.
        const json: unknown = JSON.parse(JSON.stringify(value) ?? 'null')
        const verdict = wireAccepts(schema, json)
        expect(verdict).toBe(zodAccepts(schema, json))
        if (verdict) accepted += 1
        else refused += 1
      }),
      { numRuns: 150, seed: 20_270_102 },
    )
    expect(accepted).toBeGreaterThan(100)
    expect(refused).toBeGreaterThan(0)
  })

  it('agree on values of another schema, which are mostly wrong', { timeout: 120_000 }, () => {
    let refused = 0
    fc.assert(
      fc.property(plainCase, plainCase, ({ schema }, { value }) => {
        const json: unknown = JSON.parse(JSON.stringify(value) ?? 'null')
        const verdict = wireAccepts(schema, json)
        expect(verdict).toBe(zodAccepts(schema, json))
        if (!verdict) refused += 1
      }),
      { numRuns: 80, seed: 20_270_103 },
    )
    expect(refused).toBeGreaterThan(40)
  })

  // All that is known to differ. The published schema decides.
  it.each<[string, z.ZodType, unknown, boolean]>([
    ['a date-time with an offset', z.iso.datetime(), '2026-01-01T00:00:00+02:00', true],
    ['a leap second', z.iso.datetime(), '2016-12-31T23:59:60Z', true],
    ['a UUID of no known version', z.uuid(), '00000000-0000-0000-0000-000000000001', true],
    ['an e-mail address with rare characters', z.email(), 'a!b@example.com', true],
    ['an e-mail address with a one-letter top domain', z.email(), 'a@example.c', true],
    ['a token whose head is no JSON', z.jwt(), 'a.b.c', true],
    ['a URL that is no URI', z.url(), 'https://\u00e4.example', false],
    ['a missing field that every object has by birth', z.object({ toString: z.string().optional() }), {}, true],
    ['an own __proto__ in a record', z.record(z.string(), z.int()), JSON.parse('{"__proto__":"x"}'), false],
  ])('differ on %s', (_, schema, value, accepted) => {
    expect(wireAccepts(schema, value)).toBe(accepted)
    expect(zodAccepts(schema, value)).toBe(!accepted)
  })

  it.each<[string, z.ZodType, unknown, boolean]>([
    ['a date-time without seconds', z.iso.datetime(), '2026-01-01T00:00Z', false],
    ['a character beyond the basic plane against a length', z.string().length(1), '\u{1F600}', true],
    ['base64 of the wrong padding', z.base64(), 'ab=c', false],
    ['a number beyond the safe integers', z.int(), 2 ** 53, false],
    ['a UUID of another version', z.uuidv7(), '550e8400-e29b-41d4-a716-446655440000', false],
    ['a UUID of its version', z.uuidv7(), '01890a5d-ac96-774b-bcce-b302099a8057', true],
    ['a fraction of a second where there is none', z.iso.datetime({ precision: 0 }), '2026-01-01T00:00:00.5Z', false],
    ['milliseconds where they are wanted', z.iso.datetime({ precision: 3 }), '2026-01-01T00:00:00.500Z', true],
    ['an e-mail address of another pattern', z.email({ pattern: /@example\.org$/ }), 'a@example.com', false],
    ['an e-mail address that only its pattern knows', z.email({ pattern: /^root$/ }), 'root', true],
    ['a URL of another protocol', z.url().regex(/^https:/), 'javascript:alert(1)', false],
    ['a URL of its protocol', z.url().regex(/^https:/), 'https://example.org', true],
    ['a multiple of a fraction', z.number().multipleOf(0.01), 19.99, true],
  ])('agree on %s', (_, schema, value, accepted) => {
    expect(wireAccepts(schema, value)).toBe(accepted)
    expect(zodAccepts(schema, value)).toBe(accepted)
  })
})

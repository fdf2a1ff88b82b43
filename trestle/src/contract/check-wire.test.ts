import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { bytes } from './bytes.ts'
import { checkWire } from './check-wire.ts'

const instant = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
})

describe('a wire schema', () => {
  it.each<[string, z.ZodType, string]>([
    ['a Date', z.date(), 'z.iso.datetime()'],
    ['a coerced Date', z.coerce.date(), 'z.iso.datetime()'],
    ['a bigint', z.bigint(), 'decimal string'],
    ['a bigint literal', z.literal(1n), 'decimal string'],
    ['a Map', z.map(z.string(), z.string()), 'z.record'],
    ['a Set', z.set(z.string()), 'z.array'],
    ['a symbol', z.symbol(), 'z.literal'],
    ['a function', z.function() as never, 'operation'],
    ['a promise', z.promise(z.string()), 'resolves'],
    ['undefined', z.undefined(), '.optional()'],
    ['undefined among literals', z.literal(['a', undefined]), '.optional()'],
    ['void', z.void(), 'leave the schema out'],
    ['NaN', z.nan(), '.nullable()'],
    ['a custom schema', z.custom<string>(), 'bytes()'],
    ['an instance', z.instanceof(URL), 'z.codec'],
    ['a file', z.file(), 'bytes()'],
    ['a transform', z.string().transform(Number), 'z.codec'],
    ['a pipe', z.string().pipe(z.string()), 'z.codec'],
    ['a preprocess', z.preprocess(String, z.string()), 'z.codec'],
    ['a catch', z.string().catch(''), '.default'],
    ['a refinement', z.string().refine((text) => text !== ''), 'declared error'],
    ['a super refinement', z.object({}).superRefine(() => {}), 'declared error'],
    ['a check', z.string().check(() => {}), 'declared error'],
    ['a trimmed string', z.string().trim(), 'z.codec'],
    ['a lower-cased e-mail', z.email().toLowerCase(), 'z.codec'],
    ['a pattern with flags', z.string().regex(/a/i), '[aA]'],
    ['a pattern with look-around', z.string().regex(/a(?!b)/), 'without it'],
    ['a pattern that JSON Schema cannot read', z.string().regex(/[(]{,/), 'no pattern of JSON Schema'],
    ['a record with number keys', z.record(z.number(), z.string()), 'names in JSON are strings'],
    ['a coerced number', z.coerce.number(), 'without it'],
    ['a coerced text', z.coerce.string(), 'without it'],
    ['the protocol of a URL', z.url({ protocol: /^https$/ }), '.regex(/^https:/)'],
    ['a URL of the web', z.httpUrl(), '.regex(/^https:/)'],
    ['the host name of a URL', z.url({ hostname: /^example\.org$/ }), 'a codec'],
    ['a URL that is changed', z.url({ normalize: true }), 'z.codec'],
    ['the algorithm of a token', z.jwt({ alg: 'RS256' }), 'verified'],
    ['a format that is a function', z.stringFormat('even', (text) => text.length % 2 === 0), 'declared error'],
    ['a format whose pattern has flags', z.stringFormat('shout', /^a+$/i), '[aA]'],
    ['an e-mail address by a pattern with flags', z.email({ pattern: /^a@b$/i }), '[aA]'],
    ['the checksum of a card', z.creditCard(), 'declared error'],
    ['the checksum of an account', z.iban(), 'declared error'],
    ['a bound that is none', z.number().max(Number.POSITIVE_INFINITY), 'leave it out'],
    ['a bound that is no number', z.number().lt(Number.NaN), 'leave it out'],
    ['a length that bounds nothing', z.string().max(Number.POSITIVE_INFINITY), 'leave out'],
    ['a length below nothing', z.array(z.string()).min(-1), 'leave out'],
    ['a default that the schema refuses', z.string().min(3).default('ab'), 'mend one of them'],
    ['a prefault that the schema refuses', z.string().min(3).prefault('ab'), 'mend one of them'],
    ['a pattern in a note', z.string().meta({ pattern: '^a' }), '.regex'],
    ['a format in a note', z.string().meta({ format: 'phone' }), '.regex'],
    ['a default twice', z.string().default('a').default('b'), 'two defaults'],
    ['a field named __proto__', z.object({ ['__proto__']: z.string() }), '__proto__'],
  ])('refuses %s and says what to write instead', (_, schema, remedy) => {
    expect(() => checkWire(schema, 'orders.place input')).toThrowError(remedy)
    // Found wherever it stands.
    expect(() => checkWire(z.object({ a: z.array(schema.optional()) }), 'x')).toThrowError(remedy)
  })

  it('names the operation, the path inside the schema and the remedy', () => {
    const schema = z.object({ lines: z.array(z.object({ at: z.date().nullable() })) })
    expect(() => checkWire(schema, 'orders.place input')).toThrowError(
      /^orders\.place input\.lines\[\]\.at: a Date is not a wire type: use z\.iso\.datetime\(\)/,
    )
  })

  it.each<[string, z.ZodType, string]>([
    ['a union', z.union([z.string(), z.date()]), 'x[option 2]'],
    ['a tuple', z.tuple([z.string(), z.date()]), 'x[1]'],
    ['the rest of a tuple', z.tuple([z.string()], z.date()), 'x[]'],
    ['a record', z.record(z.string(), z.date()), 'x[*]'],
    ['a catchall', z.object({}).catchall(z.date()), 'x[*]'],
    ['an intersection', z.intersection(z.object({}), z.object({ b: z.date() })), 'x[right].b'],
    ['a lazy schema', z.lazy(() => z.date()), 'x'],
    [
      'the wire side of a codec',
      z.codec(z.date() as never, z.string(), { decode: String, encode: String as never }),
      'x',
    ],
  ])('is searched through %s', (_, schema, place) => {
    expect(() => checkWire(schema, 'x')).toThrowError(`${place}: a Date is not a wire type`)
  })

  it('may be a codec to anything, with refinements inside it', () => {
    const even = z.codec(
      z.int().refine((n) => n % 2 === 0),
      z.bigint(),
      { decode: BigInt, encode: Number },
    )
    const web = z.codec(z.url({ protocol: /^https$/ }), z.string(), { decode: (text) => text, encode: (text) => text })
    for (const schema of [instant, bytes(), z.stringbool(), even, web, instant.refine(() => true)]) {
      expect(() => checkWire(z.object({ a: schema.optional() }), 'x')).not.toThrow()
    }
  })

  it('has no codec where both sides read the wire form, as in the details of an error', () => {
    expect(() => checkWire(z.object({ at: instant }), 'x', { codecs: false })).toThrowError('x.at: both sides read it')
  })

  it('may refer to itself', () => {
    const Tree = z.object({
      name: z.string(),
      get children() {
        return z.array(Tree)
      },
    })
    expect(() => checkWire(Tree, 'x')).not.toThrow()
  })
})

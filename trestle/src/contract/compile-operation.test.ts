import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compileOperation } from './compile-operation.ts'
import type { CompiledOperation } from './compiled.ts'
import { bytes, command, contract, encodeBytes, get, post, problem, put } from './index.ts'
import type { AnyOperation } from './operation.ts'
import type { RestInput } from './rest-input.ts'

function compiled(operation: AnyOperation): CompiledOperation {
  return compileOperation(
    contract('shop', { version: '1.0.0', operations: { act: operation } }).operations.act as never,
  )
}

const rest = (parts: Partial<RestInput> = {}): RestInput => ({
  params: {},
  query: '',
  headers: {},
  contentType: undefined,
  body: undefined,
  ...parts,
})

const text = (value: string) => new TextEncoder().encode(value)
const json = (value: unknown) => rest({ contentType: 'application/json', body: text(JSON.stringify(value)) })
const instant = z.codec(z.iso.datetime(), z.date(), { decode: (at) => new Date(at), encode: (at) => at.toISOString() })

describe('input as a value', () => {
  const act = compiled(
    command({
      input: z.object({
        sku: z.string(),
        quantity: z.int().min(1).default(1),
        at: instant.optional(),
        tags: z.array(z.string()).default([]),
      }),
    }),
  )

  it('is validated, copied, stripped of what is not declared, filled with defaults and decoded', () => {
    expect(act.parseInput({ sku: 'a', at: '2026-01-01T00:00:00Z', admin: true })).toEqual({
      ok: true,
      value: { sku: 'a', quantity: 1, at: new Date('2026-01-01T00:00:00Z'), tags: [] },
    })
  })

  it('shares nothing with what was given, nor with the next reader', () => {
    const given = { sku: 'a', tags: ['x'] }
    const first = act.parseInput(given)
    given.tags.push('y')
    expect(first).toMatchObject({ value: { tags: ['x'] } })
    const one = act.parseInput({ sku: 'a' })
    if (one.ok) (one.value as { tags: string[] }).tags.push('mine')
    expect(act.parseInput({ sku: 'a' })).toMatchObject({ value: { tags: [] } })
  })

  it('is never coerced', () => {
    expect(act.parseInput({ sku: 1, quantity: '2' })).toEqual({
      ok: false,
      faults: [
        { pointer: '/sku', detail: 'must be a string' },
        { pointer: '/quantity', detail: 'must be an integer' },
      ],
    })
  })

  it('says what a codec refuses, and where', () => {
    const nested = compiled(command({ input: z.object({ list: z.array(z.object({ at: instant })) }) }))
    const parsed = nested.parseInput({ list: [{ at: '2026-01-01T00:00:00Z' }, { at: '2026-01-01T00:00:00+02:00' }] })
    expect(parsed).toMatchObject({ ok: false, faults: [{ pointer: '/list/1/at' }] })
  })

  it('must be an object', () => {
    for (const value of [undefined, null, [], 'x', 1]) {
      expect(act.parseInput(value)).toEqual({ ok: false, faults: [{ pointer: '', detail: 'must be an object' }] })
    }
  })

  it('lists at most twenty faults, and one of a huge value', () => {
    const many = compiled(command({ input: z.object({ list: z.array(z.int()) }) }))
    const faults = (count: number) => {
      const parsed = many.parseInput({ list: Array.from({ length: count }, () => 'x') })
      return parsed.ok ? -1 : parsed.faults.length
    }
    expect(faults(3)).toBe(3)
    expect(faults(100)).toBe(20)
    expect(faults(100_000)).toBe(1)
  })

  it('may be nested as deep as anybody likes without harm', () => {
    const Tree = z.object({
      get children() {
        return z.array(Tree)
      },
    })
    const deep = compiled(command({ input: z.object({ tree: Tree, any: z.unknown() }) }))
    const body = (depth: number) => text(`{"tree":${'{"children":['.repeat(depth)}${']}'.repeat(depth)},"any":null}`)
    expect(deep.parseRest(rest({ contentType: 'application/json', body: body(10) })).ok).toBe(true)
    expect(deep.parseRest(rest({ contentType: 'application/json', body: body(40_000) }))).toMatchObject({
      ok: false,
      faults: [{ detail: 'is nested too deeply' }],
    })
    const any = text(`{"tree":{"children":[]},"any":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
    expect(deep.parseRest(rest({ contentType: 'application/json', body: any })).ok).toBe(false)
  })

  it('never reaches a prototype', () => {
    const open = compiled(
      command({ input: z.object({ map: z.record(z.string(), z.unknown()), loose: z.looseObject({}) }) }),
    )
    const parsed = open.parseInput(
      JSON.parse(
        '{"map":{"__proto__":{"admin":true}},"loose":{"__proto__":{"admin":true}},"__proto__":{"admin":true}}',
      ),
    )
    expect(parsed.ok).toBe(true)
    const value = (parsed.ok ? parsed.value : {}) as { map: object; loose: object }
    for (const object of [value, value.map, value.loose]) {
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
      expect((object as { admin?: boolean }).admin).toBeUndefined()
    }
    expect(Object.hasOwn(value.map, '__proto__')).toBe(true)
  })

  it('keeps of a union what the matching option declares', () => {
    const union = compiled(
      command({
        input: z.object({
          by: z.discriminatedUnion('kind', [
            z.object({ kind: z.literal('a'), x: z.int() }),
            z.object({ kind: z.literal('b'), y: z.int() }),
          ]),
          or: z.union([z.object({ id: z.string() }), z.object({ name: z.string() })]),
          both: z.intersection(z.object({ a: z.int() }), z.object({ b: z.int() })),
          pair: z.tuple([z.object({ a: z.int() }), z.int()]),
        }),
      }),
    )
    const more = { secret: 1 }
    const parsed = union.parseInput({
      by: { kind: 'b', x: 1, y: 2 },
      or: { name: 'n', ...more },
      both: { a: 1, b: 2, ...more },
      pair: [{ a: 1, ...more }, 2],
    })
    expect(parsed).toEqual({
      ok: true,
      value: { by: { kind: 'b', y: 2 }, or: { name: 'n' }, both: { a: 1, b: 2 }, pair: [{ a: 1 }, 2] },
    })
  })

  it('is said plainly to be wrong', () => {
    const rules = compiled(
      command({
        input: z.object({
          n: z.number().min(1).max(9).optional(),
          s: z.string().min(2).max(3).optional(),
          l: z.array(z.string()).max(1).optional(),
          e: z.enum(['a', 'b']).optional(),
          k: z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') })]).optional(),
          u: z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]).optional(),
          m: z.email().optional(),
          'a/b~c': z.int().optional(),
          strict: z.strictObject({}).optional(),
          nullable: z.string().nullable().optional(),
        }),
      }),
    )
    const wrong = {
      n: 0,
      s: 'x',
      l: ['a', 'b'],
      e: 'c',
      k: { kind: 'z' },
      u: { c: 1 },
      m: 'x',
      'a/b~c': 1.5,
      strict: { more: 1 },
      nullable: 1,
    }
    const parsed = rules.parseInput(wrong)
    const faults = parsed.ok ? [] : parsed.faults.map(({ pointer, detail }) => `${pointer} ${detail}`)
    expect(faults).toEqual([
      '/n must be >= 1',
      '/s must have at least 2 characters',
      '/l must have at most 1 item',
      '/e must be one of "a", "b"',
      '/k/kind must have a known "kind", not "z"',
      '/u matches none of the allowed forms',
      '/m must be a valid email',
      '/a~1b~0c must be an integer',
      '/strict/more is not allowed here',
      '/nullable must be a string or null',
    ])
  })
})

describe('input from an HTTP request', () => {
  const find = compiled(
    get('/products/{id}', {
      input: z.object({
        id: z.int(),
        query: z.string().optional(),
        category: z.array(z.enum(['a', 'b'])).optional(),
        sizes: z.array(z.int()).optional(),
        limit: z.int().max(100).default(20),
        price: z.number().nullable().optional(),
        open: z.boolean().optional(),
        mixed: z.union([z.int(), z.string()]).optional(),
        since: z.string().optional(),
        code: z.literal([1, 'x']).optional(),
      }),
      headers: { since: 'If-Modified-Since' },
    }),
  )
  const asked = (query: string, params: Record<string, string> = { id: '7' }, headers = {}) =>
    find.parseRest(rest({ params, query, headers }))

  it('binds path, query and header, each coerced to its type', () => {
    expect(
      asked(
        'query=a+b%26&category=a&category=b&sizes=1&limit=5&price=1e2&open=true&mixed=x&code=1',
        { id: '7' },
        { since: 'now' },
      ),
    ).toEqual({
      ok: true,
      value: {
        id: 7,
        query: 'a b&',
        category: ['a', 'b'],
        sizes: [1],
        limit: 5,
        price: 100,
        open: true,
        mixed: 'x',
        since: 'now',
        code: 1,
      },
    })
  })

  it.each(['', ' 1', '+1', '01', '0x1f', '1_000', '1,5', 'NaN', 'Infinity', '１', '1.', '.5', '1e', '0b1'])(
    'takes %j for no number',
    (value) => {
      expect(asked('', { id: value })).toMatchObject({
        ok: false,
        code: 'invalid_input',
        faults: [{ pointer: '/id', detail: 'must be an integer' }],
      })
    },
  )

  it.each([
    ['0', 0],
    ['-0', 0],
    ['-12', -12],
    ['1e3', 1000],
    ['12.0', 12],
  ])('takes %s for the integer %s', (value, id) => {
    expect(asked('', { id: value })).toMatchObject({ ok: true, value: { id } })
  })

  it.each(['TRUE', '1', 'yes', 'on', ''])('takes %j for no boolean', (value) => {
    expect(asked(`open=${value}`)).toMatchObject({
      ok: false,
      faults: [{ pointer: '/open', detail: 'must be a boolean' }],
    })
  })

  it('takes null where a string is not allowed, and the text otherwise', () => {
    expect(asked('price=null&query=null')).toMatchObject({ ok: true, value: { price: null, query: 'null' } })
  })

  it('drops what is not declared, and finds nothing on prototypes', () => {
    expect(asked('id=9&constructor=1&__proto__=1&toString=1')).toEqual({ ok: true, value: { id: 7, limit: 20 } })
  })

  it('refuses a scalar that is given twice', () => {
    expect(asked('limit=1&limit=2')).toMatchObject({
      ok: false,
      faults: [{ pointer: '/limit', detail: 'is given more than once' }],
    })
  })

  it.each(['query=%', 'query=%zz', 'query=%ff', 'query=%c0%af', '%=1'])('refuses the broken escape of %s', (query) => {
    expect(asked(query)).toMatchObject({
      ok: false,
      code: 'invalid_input',
      faults: [{ pointer: '', detail: 'the query has a broken percent escape' }],
    })
  })

  it('refuses U+0000, which databases cannot store', () => {
    expect(asked('query=a%00b')).toMatchObject({ ok: false, faults: [{ pointer: '', detail: 'the query has U+0000' }] })
  })

  it('refuses a query of more than a thousand parameters', () => {
    expect(asked('category=a&'.repeat(1_001))).toMatchObject({
      ok: false,
      faults: [{ detail: 'the query has more than 1000 parameters' }],
    })
  })

  it('names the header that a field comes from where that is wrong or missing', () => {
    const pay = compiled(
      post('/payments', {
        input: z.object({ request_id: z.string().max(3) }),
        headers: { request_id: 'pay-request-id' },
      }),
    )
    const faultOf = (headers: Record<string, string>) => pay.parseRest(rest({ headers }))
    expect(faultOf({})).toMatchObject({
      faults: [{ pointer: '/request_id', detail: 'is required (the header pay-request-id)' }],
    })
    expect(faultOf({ request_id: 'long' })).toMatchObject({
      faults: [{ pointer: '/request_id', detail: 'must have at most 3 characters (the header pay-request-id)' }],
    })
  })

  it('ignores the body of a GET', () => {
    expect(find.parseRest({ ...json({ limit: 'x' }), params: { id: '1' } })).toMatchObject({
      ok: true,
      value: { limit: 20 },
    })
  })
})

describe('a JSON body', () => {
  const place = compiled(
    post('/carts/{id}/items', {
      input: z.object({ id: z.string(), sku: z.string(), quantity: z.int().default(1), trace: z.string().optional() }),
      headers: { trace: 'x-trace' },
    }),
  )
  const posted = (parts: Partial<RestInput>) =>
    place.parseRest(rest({ params: { id: 'c1' }, contentType: 'application/json', ...parts }))
  const sent = (body: string) => posted({ body: text(body) })

  it('gives the fields that are in neither path nor header', () => {
    expect(sent('{"sku":"a","id":"c2","trace":"t","admin":true}')).toEqual({
      ok: true,
      value: { id: 'c1', sku: 'a', quantity: 1 },
    })
  })

  it('is never coerced', () => {
    expect(sent('{"sku":"a","quantity":"2"}')).toMatchObject({
      ok: false,
      faults: [{ pointer: '/quantity', detail: 'must be an integer' }],
    })
  })

  it.each([
    ['[]', 'the body must be an object'],
    ['null', 'the body must be an object'],
    ['"x"', 'the body must be an object'],
    ['{"sku":"a"', 'the body is not JSON'],
    ["{'sku':'a'}", 'the body is not JSON'],
    ['{"sku":"a"} x', 'the body is not JSON'],
    ['{"sku":"a",}', 'the body is not JSON'],
    ['{"sku":NaN}', 'the body is not JSON'],
    ['\u{feff}{"sku":"a"}', 'the body is not JSON'],
    ['  ', 'the body is empty'],
  ])('may not be %s', (body, detail) => {
    expect(sent(body)).toMatchObject({ ok: false, code: 'invalid_input', faults: [{ pointer: '', detail }] })
  })

  it.each([
    String.raw`{"sku":"a\u0000b"}`,
    String.raw`{"sku":"\\\u0000"}`,
    String.raw`{"\u0000":1,"sku":"a"}`,
    String.raw`{"sku":"\ud83d"}`,
    String.raw`{"sku":"\uDE00\uD83D"}`,
    String.raw`{"sku":"😀\uDE00"}`,
    String.raw`{"sku":"\ud83dx\ude00"}`,
  ])('may not hold U+0000 or half a surrogate pair, as in %s', (body) => {
    const detail = 'the body has a text with U+0000 or half a surrogate pair'
    expect(sent(body)).toMatchObject({ ok: false, code: 'invalid_input', faults: [{ pointer: '', detail }] })
  })

  it.each([
    [String.raw`\\u0000`, String.raw`\u0000`],
    [String.raw`\ud83d\uDE00`, '😀'],
    [String.raw`\\ud83d\u0001`, String.raw`\ud83d` + '\u0001'],
    [String.raw`\\\u00e9`, String.raw`\é`],
  ])('may hold every other escape, as in %s', (escaped, sku) => {
    expect(sent(`{"sku":"${escaped}"}`)).toMatchObject({ ok: true, value: { sku } })
  })

  it('must be UTF-8', () => {
    const latin1 = new Uint8Array([...text('{"sku":"'), 0xe9, ...text('"}')])
    expect(posted({ body: latin1 })).toMatchObject({ ok: false, faults: [{ detail: 'the body is not UTF-8' }] })
  })

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON ;charset="UTF-8"',
    'application/merge-patch+json',
    'application/vnd.shop.v1+json;v=1',
  ])('may be %s', (contentType) => {
    expect(posted({ contentType, body: text('{"sku":"a"}') }).ok).toBe(true)
  })

  it.each([
    undefined,
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/json, text/plain',
    'application/json; charset=latin1',
    'application/json; charset=utf-8; charset=utf-16',
    'json',
    'text/json+x',
    'multipart/form-data; boundary=x',
    'application/json;;=',
    'application/json\r\nx: y',
  ])('may not be %s', (contentType) => {
    expect(posted({ contentType, body: text('{"sku":"a"}') })).toMatchObject({
      ok: false,
      code: 'unsupported_media_type',
    })
  })

  it('may be missing where every field may', () => {
    const note = compiled(post('/notes', { input: z.object({ text: z.string().optional() }) }))
    expect(note.parseRest(rest())).toEqual({ ok: true, value: {} })
    expect(note.parseRest(rest({ body: new Uint8Array(0), contentType: 'text/plain' }))).toEqual({
      ok: true,
      value: {},
    })
    expect(posted({ contentType: undefined })).toMatchObject({
      ok: false,
      faults: [{ pointer: '/sku', detail: 'is required' }],
    })
  })

  it('may be one field, and the others come from the query', () => {
    const replace = compiled(
      put('/docs/{id}', {
        input: z.object({ id: z.string(), dry: z.boolean().default(false), document: z.array(z.int()) }),
        body: 'document',
      }),
    )
    const ask = (body: unknown) => replace.parseRest({ ...json(body), params: { id: 'd' }, query: 'dry=true' })
    expect(ask([1, 2])).toEqual({ ok: true, value: { id: 'd', dry: true, document: [1, 2] } })
    expect(ask(['1'])).toMatchObject({ ok: false, faults: [{ pointer: '/document/0', detail: 'must be an integer' }] })
  })
})

const takingRaw = (schema: z.ZodType) =>
  compiled(post('/raw', { input: z.object({ document: schema }), body: 'document' }))

describe('raw bytes', () => {
  const upload = compiled(
    post('/hooks/{id}', {
      input: z.object({ id: z.string(), document: bytes({ contentTypes: ['image/png', 'image/jpeg'] }) }),
      output: bytes({ contentTypes: ['image/png'] }),
      body: 'document',
    }),
  )
  const octets = new Uint8Array([0, 255, 128, 10])

  it('are the octets of the body, untouched, as a Uint8Array', () => {
    const parsed = upload.parseRest(rest({ params: { id: 'a' }, contentType: 'image/png', body: octets }))
    expect(parsed).toEqual({ ok: true, value: { id: 'a', document: octets } })
  })

  it('are base64 in a value, and the handler reads the same', () => {
    const over = JSON.parse(JSON.stringify({ id: 'a', document: encodeBytes(octets) })) as unknown
    expect(upload.parseInput(over)).toEqual({ ok: true, value: { id: 'a', document: octets } })
    for (const wrong of ['A', 'AAA', 'A===', 'AA-_', 'AA==AA==', [1], octets])
      expect(upload.parseInput({ id: 'a', document: wrong }).ok).toBe(false)
  })

  it.each([undefined, 'image/gif', 'image/png, image/jpeg'])(
    'may not be %s where other types are declared',
    (contentType) => {
      expect(upload.parseRest(rest({ params: { id: 'a' }, contentType, body: octets }))).toMatchObject({
        ok: false,
        code: 'unsupported_media_type',
      })
    },
  )

  it('may be of any type where none is declared, and are required unless they are optional', () => {
    expect(takingRaw(bytes()).parseRest(rest({ body: octets })).ok).toBe(true)
    expect(takingRaw(bytes()).parseRest(rest())).toMatchObject({
      ok: false,
      faults: [{ pointer: '/document', detail: 'is required' }],
    })
    expect(takingRaw(bytes().optional()).parseRest(rest())).toEqual({ ok: true, value: {} })
    expect(takingRaw(bytes()).parseRest(rest({ body: new Uint8Array(0) }))).toEqual({
      ok: true,
      value: { document: new Uint8Array(0) },
    })
  })

  it('leave as octets, and come back as the caller reads them', () => {
    const out = upload.serializeOutput(encodeBytes(octets), 200)
    expect(out).toEqual({ ok: true, bytes: octets, contentType: 'image/png' })
    expect(upload.parseReply(octets, 200)).toEqual(upload.parseOutput(encodeBytes(octets), 200))
  })

  it('may be large', () => {
    const large = new Uint8Array(4_000_000).fill(7)
    expect(upload.parseInput({ id: 'a', document: encodeBytes(large) }).ok).toBe(true)
  })
})

describe('output', () => {
  const read = compiled(
    get('/me', {
      output: z.object({ id: z.string(), at: instant, role: z.string().default('user') }),
      errors: { gone_away: problem(409, z.object({ to: z.string() })), empty: problem(409) },
    }),
  )
  const user = { id: '1', at: '2026-01-01T00:00:00Z', passwordHash: 'secret' }
  const decoder = new TextDecoder()

  it('is written without undeclared fields and with defaults, and read decoded', () => {
    const out = read.serializeOutput(user, 200)
    expect(out.ok && decoder.decode(out.bytes)).toBe('{"id":"1","at":"2026-01-01T00:00:00Z","role":"user"}')
    expect(out.ok && read.parseReply(out.bytes, 200)).toEqual(read.parseOutput(user, 200))
    expect(read.parseOutput(user, 200)).toEqual({
      ok: true,
      value: { id: '1', at: new Date('2026-01-01T00:00:00Z'), role: 'user' },
    })
  })

  it('is refused alike, whether it stays in the process or leaves it', () => {
    for (const wrong of [
      {},
      { ...user, id: 1 },
      { ...user, at: new Date() },
      { ...user, at: '2026-01-01T00:00:00+02:00' },
      null,
      undefined,
    ]) {
      const local = read.parseOutput(wrong, 200)
      expect(local.ok).toBe(false)
      expect(read.serializeOutput(wrong, 200)).toEqual(local)
    }
  })

  it('has the statuses that are declared and no other', () => {
    const several = compiled(
      post('/jobs', { responses: { 200: z.object({ done: z.literal(true) }), 202: z.object({ id: z.string() }) } }),
    )
    expect(several.serializeOutput({ done: true }, 200).ok).toBe(true)
    expect(several.serializeOutput({ id: 'x' }, 202).ok).toBe(true)
    expect(several.serializeOutput({ id: 'x' }, 200).ok).toBe(false)
    expect(several.serializeOutput({ id: 'x' }, 201)).toEqual({
      ok: false,
      faults: [{ pointer: '', detail: 'act declares no reply with status 201' }],
    })
  })

  it('is nothing where there is none, whatever the handler returns', () => {
    const none = compiled(command({}))
    expect(none.serializeOutput({ a: 1 }, 204)).toEqual({ ok: true, bytes: new Uint8Array(0), contentType: '' })
    expect(none.parseOutput({ a: 1 }, 204)).toEqual({ ok: true, value: undefined })
    expect(none.parseReply(text('{"a":1}'), 204)).toEqual({ ok: true, value: undefined })
  })

  it('as bytes that are no JSON is a fault', () => {
    expect(read.parseReply(text('<html>'), 200)).toEqual({
      ok: false,
      faults: [{ pointer: '', detail: 'the body is not JSON' }],
    })
  })

  it('of a declared error is checked too', () => {
    expect(read.parseDetails('gone_away', { to: 'x', more: 1 })).toEqual({ ok: true, value: { to: 'x' } })
    expect(read.parseDetails('gone_away', {})).toEqual({
      ok: false,
      faults: [{ pointer: '/to', detail: 'is required' }],
    })
    expect(read.parseDetails('empty', { to: 'x' })).toEqual({ ok: true, value: undefined })
    expect(read.parseDetails('toString', {}).ok).toBe(false)
  })
})

describe('an HTTP request to a foreign service', () => {
  const search = compiled(
    put('/a/{id}/b/{n}', {
      input: z.object({
        id: z.string(),
        n: z.int(),
        tags: z.array(z.string()).optional(),
        dry: z.boolean().optional(),
        etag: z.string().optional(),
        doc: z.object({ a: z.int() }),
      }),
      headers: { etag: 'If-Match' },
      body: 'doc',
    }),
  )

  it('is written by the REST binding', () => {
    expect(
      search.toRest({
        id: 'a/b ?',
        n: 1,
        tags: ['x&y', 'z'],
        dry: false,
        etag: '"v1"',
        doc: { a: 1, more: 2 },
        more: 1,
      }),
    ).toEqual({
      method: 'PUT',
      target: '/a/a%2Fb%20%3F/b/1?tags=x%26y&tags=z&dry=false',
      headers: { 'if-match': '"v1"' },
      contentType: 'application/json',
      body: text('{"a":1}'),
    })
  })

  it('is read by the callee as it was meant, for any input', () => {
    const input = fc.record(
      {
        id: fc.string({ minLength: 1, unit: 'grapheme' }).filter((id) => id !== '.' && id !== '..'),
        n: fc.integer(),
        tags: fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }),
        dry: fc.boolean(),
        etag: fc.stringMatching(/^[!-~]{1,20}$/),
        doc: fc.record({ a: fc.integer() }),
      },
      { requiredKeys: ['id', 'n', 'doc'] },
    )
    fc.assert(
      fc.property(input, (value) => {
        const request = search.toRest(value)
        const [path, query] = request.target.split('?') as [string, string | undefined]
        const [, , id, , n] = path.split('/') as [string, string, string, string, string]
        const headers = request.headers['if-match'] === undefined ? {} : { etag: request.headers['if-match'] }
        const params = { id: decodeURIComponent(id), n: decodeURIComponent(n) }
        const parsed = search.parseRest({
          params,
          query: query ?? '',
          headers,
          contentType: request.contentType,
          body: request.body,
        })
        expect(parsed).toEqual({ ok: true, value })
      }),
      { numRuns: 200, seed: 20_270_104 },
    )
  })

  it.each(['.', '..', ''])('never has %j as a step of its path', (id) => {
    expect(() => search.toRest({ id, n: 1, doc: { a: 1 } })).toThrowError('cannot stand for {id} in a path')
  })

  it.each(['a\r\nx: y', 'a\n', 'é', ' a'])('never has %j in a header', (etag) => {
    expect(() => search.toRest({ id: 'a', n: 1, etag, doc: { a: 1 } })).toThrowError('cannot stand in a header')
  })

  it('is not written from invalid input, nor for an operation without a route', () => {
    expect(() => search.toRest({ id: 'a' })).toThrowError('the input of act is invalid: /n is required')
    expect(() => compiled(command({})).toRest({})).toThrowError('without a route')
  })
})

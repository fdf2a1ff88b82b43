import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ContractError, command, contract, event, get, post, problem, put, scopes } from './index.ts'
import type { AnyOperation } from './operation.ts'

function define(operation: AnyOperation): unknown {
  return contract('orders', { version: '1.0.0', operations: { place: operation } })
}

function thrown(make: () => unknown): ContractError {
  try {
    make()
  } catch (error) {
    if (error instanceof ContractError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const Id = z.object({ id: z.string() })

describe('a contract as written', () => {
  it('is accepted when nothing is wrong with it', () => {
    const made = contract('partner-api', {
      version: '2.1.0-rc.1',
      operations: {
        find: get('/orders/{id}', { input: Id, output: Id, access: scopes('orders:read'), headers: {} }),
        settle: command({ input: Id }),
      },
      events: { placed: event(Id, { key: 'id' }) },
    })
    expect(made.id).toBe('partner-api@2')
    expect(made.operations.find.name).toBe('find')
  })

  it.each([
    ['Orders', '1.0.0', 'kebab-case'],
    ['orders_v2', '1.0.0', 'kebab-case'],
    ['-orders', '1.0.0', 'kebab-case'],
    ['o'.repeat(49), '1.0.0', 'at most 48'],
    ['orders', '1.0', 'no semantic version'],
    ['orders', 'v1.0.0', 'no semantic version'],
    ['orders', '01.0.0', 'no semantic version'],
  ])('is refused with the name %s and the version %s', (name, version, message) => {
    const error = thrown(() => contract(name, { version, operations: {} }))
    expect(error.code).toBe('invalid_contract')
    expect(error.message).toContain(message)
  })

  it.each(['then', 'toString', 'constructor', 'Place', 'place_order', 'a-b'])(
    'refuses an operation named %s',
    (name) => {
      const error = thrown(() => contract('orders', { version: '1.0.0', operations: { [name]: command({}) } }))
      expect(error.place).toBe(`orders.${name}`)
    },
  )

  it('refuses two operations at one address, whatever their fields are called', () => {
    const error = thrown(() =>
      contract('orders', {
        version: '1.0.0',
        operations: {
          find: get('/orders/{id}', { input: Id }),
          read: get('/orders/{number}', { input: z.object({ number: z.string() }) }),
        },
      }),
    )
    expect(error.message).toBe('orders.read: GET /orders/{number} is the address of orders.find already')
  })

  it('takes one address with two methods', () => {
    const operations = { find: get('/orders/{id}', { input: Id }), write: put('/orders/{id}', { input: Id }) }
    expect(Object.keys(contract('orders', { version: '1.0.0', operations }).operations)).toEqual(['find', 'write'])
  })

  it.each([
    ['placed', z.object({ id: z.string().optional() }), 'required scalar'],
    ['placed', z.object({ id: z.array(z.string()) }), 'required scalar'],
    ['placed', z.object({ id: z.string(), at: z.date() }), 'Date is not a wire type'],
  ])('refuses an event %# whose payload or key cannot be', (name, payload, message) => {
    const error = thrown(() =>
      contract('orders', { version: '1.0.0', operations: {}, events: { [name]: event(payload, { key: 'id' }) } }),
    )
    expect(error.message).toContain(message)
  })

  it.each([
    [1, { 1: String }, 'orders.placed upcast: version 1 has none before it: raise `version`, or take `upcast` out'],
    [3, { 3: String }, 'orders.placed upcast: "3" is no version before 3: write 1..2'],
    [3, { 0: String }, 'orders.placed upcast: "0" is no version before 3: write 1..2'],
    [2, { 1: 'x' as never }, 'orders.placed upcast: 1 must be a function that makes version 2 of it'],
  ])('refuses version %i with the wrong upcasts %#', (version, upcast, message) => {
    const placed = event(Id, { key: 'id', version, upcast })
    expect(thrown(() => contract('orders', { version: '1.0.0', operations: {}, events: { placed } })).message).toBe(
      message,
    )
  })
})

// Typed templates would not compile: these come from JavaScript or from generated code.
const at =
  (path: string, input: z.ZodObject = Id, rest: object = {}) =>
  () =>
    define(get(path, { input, ...rest }) as AnyOperation)
const posted = (input: z.ZodObject, rest: object) => () => define(post('/orders', { input, ...rest }) as AnyOperation)

describe('an operation as written', () => {
  it('may have a slash at the end of its path, which is another path than without', () => {
    expect(at('/a/{id}/')).not.toThrow()
    expect(at('/', z.object({}))).not.toThrow()
  })

  it.each<[string, () => unknown, string, string]>([
    ['a path without slash', at('orders'), 'orders.place orders', 'starts with /'],
    ['an empty segment', at('/a//{id}'), 'orders.place /a//{id}', 'empty segment'],
    ['two slashes at the end', at('/a/{id}//'), 'orders.place /a/{id}//', 'empty segment'],
    ['a dot segment', at('/a/../{id}'), 'orders.place /a/../{id}', 'dot segment'],
    ['a query in the path', at('/a?b={id}'), 'orders.place /a?b={id}', 'no path segment'],
    ['an unclosed field', at('/a/{id'), 'orders.place /a/{id', 'no path segment'],
    ['a field twice', at('/a/{id}/b/{id}'), 'orders.place /a/{id}/b/{id}', '{id} is in the path twice'],
    [
      'two fields in a row',
      at('/a/{id}{id2}', z.object({ id: z.string(), id2: z.string() })),
      'orders.place /a/{id}{id2}',
      'nothing between',
    ],
    [
      'a field that the input has not',
      at('/a/{nr}'),
      'orders.place /a/{nr}',
      '{nr} is in the path but not in the input',
    ],
    [
      'an optional path field',
      at('/a/{id}', z.object({ id: z.string().optional() })),
      'orders.place /a/{id}',
      'cannot be optional',
    ],
    [
      'a path field with a default',
      at('/a/{id}', z.object({ id: z.string().default('x') })),
      'orders.place /a/{id}',
      'cannot be optional',
    ],
    [
      'a path field that is no scalar',
      at('/a/{id}', z.object({ id: z.array(z.string()) })),
      'orders.place /a/{id}',
      'must be a string',
    ],
    [
      'an object in the query',
      at('/a', z.object({ q: z.object({}) })),
      'orders.place input.q',
      'a scalar or an array of scalars',
    ],
    [
      'an array of objects in the query',
      at('/a', z.object({ q: z.array(z.object({})) })),
      'orders.place input.q',
      'a scalar or an array of scalars',
    ],
    [
      'a header that is not in the input',
      at('/a', Id, { headers: { nr: 'x-nr' } }),
      'orders.place headers.nr',
      'not in the input',
    ],
    [
      'a header with a bad name',
      at('/a', Id, { headers: { id: 'x nr' } }),
      'orders.place headers.id',
      'no header name',
    ],
    [
      'a header of the platform',
      at('/a', Id, { headers: { id: 'Content-Length' } }),
      'orders.place headers.id',
      'platform',
    ],
    [
      'the header that names undone work',
      at('/a', Id, { headers: { id: 'Idempotency-Cancels' } }),
      'orders.place headers.id',
      'platform',
    ],
    [
      'a header that is in the path too',
      at('/a/{id}', Id, { headers: { id: 'x-id' } }),
      'orders.place /a/{id}',
      'bound to a header too',
    ],
    [
      'two fields in one header',
      at('/a', z.object({ a: z.string(), b: z.string() }), { headers: { a: 'x-a', b: 'X-A' } }),
      'orders.place headers.b',
      'bound to "a" already',
    ],
    [
      'a header that is no scalar',
      at('/a', z.object({ a: z.array(z.string()) }), { headers: { a: 'x-a' } }),
      'orders.place headers.a',
      'a header is text',
    ],
    [
      'a body that is not in the input',
      posted(Id, { body: 'document' }),
      'orders.place body',
      '"document" is not in the input',
    ],
    [
      'a body that is in the path too',
      at('/a/{id}', Id, { body: 'id' }),
      'orders.place /a/{id}',
      '{id} is the body too',
    ],
    [
      'an error code that is not snake_case',
      posted(Id, { errors: { cartEmpty: problem(409) } }),
      'orders.place errors.cartEmpty',
      'snake_case',
    ],
    [
      'a platform code with another status',
      posted(Id, { errors: { not_found: problem(409) } }),
      'orders.place errors.not_found',
      'status 404',
    ],
    ['a time limit of nothing', posted(Id, { timeoutMs: 0 }), 'orders.place timeoutMs', '1 to 3600000'],
    ['a time limit beyond an hour', posted(Id, { timeoutMs: 3_600_001 }), 'orders.place timeoutMs', '1 to 3600000'],
    [
      'a body limit that is no number',
      posted(Id, { bodyMaxBytes: Number.NaN }),
      'orders.place bodyMaxBytes',
      'whole number',
    ],
    [
      'a deprecation on no date',
      posted(Id, { deprecated: { on: '2027-02-30' } }),
      'orders.place deprecated.on',
      'no ISO date',
    ],
    [
      'a sunset that is no date',
      posted(Id, { deprecated: { on: '2027-02-01', sunset: 'soon' } }),
      'orders.place deprecated.sunset',
      'no ISO date',
    ],
    [
      'a sunset before the deprecation',
      posted(Id, { deprecated: { on: '2027-02-01', sunset: '2026-02-01' } }),
      'orders.place deprecated.sunset',
      'before',
    ],
    [
      'a scope with a blank',
      posted(Id, { access: { kind: 'scopes', scopes: ['a b'] } }),
      'orders.place access',
      'no scope',
    ],
    [
      'output and responses',
      posted(Id, { output: Id, responses: { 202: Id } }),
      'orders.place',
      'output and responses',
    ],
    ['a reply that is an error', posted(Id, { responses: { 404: Id } }), 'orders.place responses[404]', '200 to 299'],
    ['created without an output', posted(Id, { created: true }), 'orders.place', 'say the output'],
    [
      'an input that is no object',
      () => define(command({ input: z.string() as never }) as AnyOperation),
      'orders.place input',
      'one flat object',
    ],
    [
      'an example that does not match',
      posted(Id, { examples: [{ input: { id: 1 } }] }),
      'orders.place examples[0].input/id',
      'must be a string',
    ],
    [
      'an example of an output that there is not',
      posted(Id, { examples: [{ output: 1 }] }),
      'orders.place examples[0].output',
      'no output',
    ],
    [
      'a schema whose example does not match',
      posted(z.object({ n: z.int().meta({ examples: [1, 1.5] }) }), {}),
      'orders.place input.n examples[1]',
      'must be an integer',
    ],
  ])('refuses %s', (_, make, place, message) => {
    const error = thrown(make)
    expect(error.place).toBe(place)
    expect(error.message).toContain(message)
  })

  it('may use a platform code with the platform status', () => {
    expect(posted(Id, { errors: { not_found: problem(404), conflict: problem(409) } })).not.toThrow()
  })

  it('takes fields within a segment', () => {
    expect(at('/files/{id}.json')).not.toThrow()
    expect(at('/')).not.toThrow()
  })
})

import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { anyone, contract, get, post, problem } from '../index.ts'
import type { JsonSchema } from '../json-schema.ts'
import { openapi } from './openapi.ts'
import { carts, orders } from './sample.ts'

const info = {
  title: 'Store',
  version: '1.0.0',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  servers: [{ url: 'https://api.store.test' }],
}

async function officialErrors(document: object): Promise<unknown> {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as Record<string, unknown>)
  return valid ? [] : errors
}

async function lint(document: object): Promise<readonly string[]> {
  const config = await createConfig({ extends: ['recommended'] })
  const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: 'openapi.json', config })
  return problems.map(({ ruleId, message, location }) => `${ruleId} ${location[0]?.pointer ?? ''} ${message}`)
}

const at = (document: object, ...keys: string[]) =>
  keys.reduce<unknown>((value, key) => (value as JsonSchema)[key], document) as JsonSchema

describe('the OpenAPI document', () => {
  const document = openapi([orders, carts], info)

  it('is valid by the official schema of OpenAPI 3.1, which refuses a broken one', async () => {
    expect(await officialErrors(document)).toEqual([])
    expect(await officialErrors({ ...document, info: {} })).not.toEqual([])
  })

  it("passes the linter's recommended rules, warnings too", async () => {
    expect(await lint(document)).toEqual([])
  })

  it.each<[string, string, (document: JsonSchema) => void]>([
    ['no operationId', 'operation-operationId', (d) => delete at(d, 'paths', '/orders', 'post')['operationId']],
    [
      'an example that does not match',
      'no-invalid-media-type-examples',
      (d) => {
        at(d, 'paths', '/orders', 'post', 'requestBody', 'content', 'application/json', 'examples', 'example1')[
          'value'
        ] = { lines: 1 }
      },
    ],
    [
      'a reference to nothing',
      'no-unresolved-refs',
      (d) => {
        at(d, 'components', 'schemas', 'Order', 'properties', 'total')['$ref'] = '#/components/schemas/Nothing'
      },
    ],
    [
      'a security scheme that is not there',
      'security-defined',
      (d) => delete (d['components'] as JsonSchema)['securitySchemes'],
    ],
  ])('would not pass the linter with %s', async (_, rule, harm) => {
    const broken = structuredClone(document) as unknown as JsonSchema
    harm(broken)
    expect((await lint(broken)).join('\n')).toContain(rule)
  })

  it('has every operation with a route and no other', () => {
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    )
    expect(operations.toSorted()).toEqual([
      'delete /orders/{id}',
      'get /cart',
      'get /orders',
      'get /orders-health',
      'get /orders/{id}',
      'get /orders/{id}/document',
      'patch /orders/{id}',
      'post /orders',
      'post /orders/{id}/comments',
      'put /orders/{id}/document',
    ])
  })

  it('has each named schema once, and two where two contracts or directions mean different things', () => {
    expect(Object.keys(document.components['schemas'] as object).toSorted()).toEqual(
      [
        'CartsLine',
        'Card',
        'Money',
        'Order',
        'OrdersCommentInputNode',
        'OrdersCommentOutput200Node',
        'OrdersLine',
        'OrdersLineInput',
        'Problem',
        'Transfer',
      ].toSorted(),
    )
    expect(at(document, 'components', 'schemas', 'OrdersLine')['required']).toEqual(['sku', 'quantity', 'price'])
    expect(at(document, 'components', 'schemas', 'OrdersLineInput')['required']).toEqual(['sku', 'price'])
  })

  it('says which value of a discriminator means which schema', () => {
    expect(at(document, 'components', 'schemas', 'Order', 'properties', 'payment')['discriminator']).toEqual({
      propertyName: 'kind',
      mapping: { card: '#/components/schemas/Card', transfer: '#/components/schemas/Transfer' },
    })
  })

  it('names path fields alike under one path', () => {
    const [parameter] = at(document, 'paths', '/orders/{id}', 'patch')['parameters'] as JsonSchema[]
    expect(parameter).toMatchObject({ name: 'id', in: 'path', required: true })
  })

  it('says each declared error with its code, status and details', () => {
    const responses = at(document, 'paths', '/orders', 'post', 'responses')
    expect(Object.keys(responses)).toEqual([
      '201',
      '400',
      '401',
      '402',
      '403',
      '409',
      '413',
      '415',
      '422',
      '429',
      '500',
      '502',
      '503',
      '504',
    ])
    const schema = at(responses, '409', 'content', 'application/problem+json', 'schema')
    expect(schema['allOf']).toEqual([
      { $ref: '#/components/schemas/Problem' },
      {
        oneOf: [
          { type: 'object', properties: { code: { type: 'string', const: 'cart_empty' } }, required: ['code'] },
          {
            type: 'object',
            properties: {
              code: { type: 'string', const: 'out_of_stock' },
              details: { type: 'object', properties: { sku: { type: 'string' } }, required: ['sku'] },
            },
            required: ['code', 'details'],
          },
          { type: 'object', properties: { code: { type: 'string', const: 'conflict' } }, required: ['code'] },
          {
            type: 'object',
            properties: { code: { type: 'string', enum: ['idempotency_in_progress'] } },
            required: ['code'],
          },
        ],
      },
    ])
    expect(responses['400']).toEqual({ $ref: '#/components/responses/InvalidInput' })
  })

  it('asks for the idempotency key where the operation does', () => {
    expect(at(document, 'paths', '/orders', 'post')['parameters']).toEqual([
      { $ref: '#/components/parameters/IdempotencyKey' },
    ])
    expect(at(document, 'components', 'parameters', 'IdempotencyKey')['required']).toBe(true)
    expect(at(document, 'paths', '/orders/{id}', 'get')['parameters']).toHaveLength(1)
  })

  it('says what becomes of a key that was used before', () => {
    const { responses } = at(document, 'paths', '/orders', 'post') as { responses: Record<string, object> }
    expect(JSON.stringify(responses['409'])).toContain('idempotency_in_progress')
    expect(responses['422']).toEqual({ $ref: '#/components/responses/IdempotencyKeyReused' })
    expect(responses['201']).toMatchObject({
      headers: { 'Idempotency-Replayed': { $ref: '#/components/headers/IdempotencyReplayed' } },
    })
    expect(Object.keys(at(document, 'components', 'headers'))).toContain('IdempotencyReplayed')
    expect(Object.keys(at(document, 'paths', '/orders/{id}', 'get')['responses'] as object)).not.toContain('422')
  })

  it('says who may ask', () => {
    expect(at(document, 'paths', '/orders', 'post')['security']).toEqual([{ bearer: ['orders:write'] }])
    expect(at(document, 'paths', '/orders', 'get')['security']).toEqual([{ bearer: [] }])
    expect(at(document, 'paths', '/orders-health', 'get')['security']).toEqual([])
  })

  it('says what is deprecated, until when and what to use', () => {
    const cancel = at(document, 'paths', '/orders/{id}', 'delete')
    expect(cancel).toMatchObject({ deprecated: true, 'x-sunset': '2027-01-31' })
    expect(cancel['description']).toBe(
      'Deprecated since 2026-01-31. Withdrawn on 2027-01-31. Use orders.annotate instead.',
    )
    expect(Object.keys(cancel['responses'] as object)).toContain('410')
  })

  it('says which media types raw bytes have', () => {
    expect(Object.keys(at(document, 'paths', '/orders/{id}/document', 'put', 'requestBody', 'content'))).toEqual([
      'application/pdf',
      'image/png',
    ])
    expect(Object.keys(at(document, 'paths', '/orders/{id}/document', 'get', 'responses', '200', 'content'))).toEqual([
      'application/pdf',
    ])
  })

  it('leaves path and header fields out of the body', () => {
    const patch = at(document, 'paths', '/orders/{id}', 'patch')
    expect(at(patch, 'requestBody', 'content', 'application/json', 'schema')).toMatchObject({
      properties: { note: {} },
      required: ['note'],
    })
    expect((patch['parameters'] as JsonSchema[]).map((parameter) => [parameter['in'], parameter['name']])).toEqual([
      ['path', 'id'],
      ['header', 'if-match'],
    ])
  })

  it('says what is recursive by references, any JSON too', async () => {
    const Json = { input: z.object({ value: z.json() }), output: z.json(), access: anyone() }
    const made = openapi([contract('notes', { version: '1.0.0', operations: { keep: post('/notes', Json) } })], info)
    const schema = { $ref: '#/components/schemas/NotesKeepOutputNode' }
    expect(at(made, 'paths', '/notes', 'post', 'responses', '200', 'content', 'application/json')).toEqual({ schema })
    expect(at(made, 'components', 'schemas', 'NotesKeepOutputNode')['anyOf']).toContainEqual({
      type: 'array',
      items: schema,
    })
    expect(await officialErrors(made)).toEqual([])
    expect((await lint(made)).filter((line) => line.includes('ref'))).toEqual([])
  })

  it('can show an operation at another address, and two majors of a contract', async () => {
    const two = contract('orders', {
      version: '2.0.0',
      operations: {
        find: get('/orders/{id}', { input: z.object({ id: z.uuid() }), errors: { not_found: problem(404) } }),
      },
    })
    const made = openapi(
      [
        { contract: orders, operation: orders.operations.find },
        { contract: two, operation: two.operations.find, path: '/v2/orders/{number}' },
      ],
      info,
    )
    expect(at(made, 'paths', '/orders/{id}', 'get')['operationId']).toBe('orders.v1.find')
    expect(at(made, 'paths', '/v2/orders/{number}', 'get')['operationId']).toBe('orders.v2.find')
    expect(await lint(made)).toEqual([])
    expect(() => openapi([orders, two], info)).toThrowError(
      'orders@2.find: GET /orders/{id} is the address of another operation',
    )
  })
})

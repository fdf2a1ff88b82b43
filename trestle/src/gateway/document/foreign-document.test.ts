import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { anyone, contract, get, scopes } from '../../contract/index.ts'
import { aggregate } from '../aggregate/aggregate.ts'
import { part } from '../aggregate/part.ts'
import { gateway } from '../gateway.ts'
import { type Bench, notes, startBench } from '../gateway-fixture.ts'
import { type RecordingUpstream, rawReply, recordingUpstream } from '../refusals/recording-upstream.ts'
import { expose } from '../route/expose.ts'
import { upstream } from '../upstream/upstream.ts'
import { gatewayDocument } from './gateway-document.ts'

const pets = new URL('./fixtures/pets.yaml', import.meta.url)
const json = { 'content-type': 'application/json' }
const dog = { name: 'Rex', kind: { type: 'dog' } }

/** Clashes with the foreign document: an operation `list`, a schema `Pet`. */
const zoo = contract('zoo', {
  version: '1.0.0',
  operations: {
    visit: get('/zoo', {
      output: z.object({ pet: z.object({ cage: z.string() }).meta({ id: 'Pet' }) }),
      access: anyone(),
    }),
    owned: get('/shop/pets/{id}', { input: z.object({ id: z.string() }), output: z.string(), access: anyone() }),
  },
})

async function officialErrors(document: object): Promise<unknown> {
  const { valid, errors } = await new Validator().validate(structuredClone(document) as Record<string, unknown>)
  return valid ? [] : errors
}

describe('an upstream with an OpenAPI document', () => {
  let server: RecordingUpstream
  let bench: Bench
  beforeAll(async () => {
    server = await recordingUpstream(() => rawReply('ok'))
    bench = await startBench(undefined, {
      deps: { info: { title: 'Shop', version: '1.0.0', license: { name: 'Apache 2.0', identifier: 'Apache-2.0' } } },
      routes: [
        expose(zoo, { only: ['visit'] }),
        upstream('/shop/*', [server.url], {
          stripPrefix: '/shop',
          addPrefix: '/v2',
          access: anyone(),
          openapi: { document: pets, base: '/v2' },
          bodyMaxBytes: 1_000,
        }),
        upstream('/open/*', [server.url], {
          stripPrefix: '/open',
          access: anyone(),
          openapi: { document: pets, unknown: 'pass' },
        }),
      ],
    })
  })
  afterAll(async () => {
    await bench.stop()
    await server.stop()
  })

  const ask = async (path: string, init: RequestInit = {}) => {
    server.clear()
    const reply = await bench.fetch(path, init)
    const text = await reply.text()
    const body = text.startsWith('{')
      ? (JSON.parse(text) as { code: string; errors?: { pointer: string }[] })
      : undefined
    return {
      status: reply.status,
      code: body?.code,
      at: body?.errors?.map(({ pointer }) => pointer),
      allow: reply.headers.get('allow'),
    }
  }
  const post = (body: unknown, headers: Record<string, string> = json) => ({
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

  it.each<[string, RequestInit]>([
    ['/shop/pets', {}],
    ['/shop/pets?limit=100&tag=dog&tag=cat&ids=1,2&other=x', {}],
    ['/shop/pets?filter=%7B%22a%22%3A1%7D', { headers: { 'x-fast': 'true' } }],
    ['/shop/pets/7', {}],
    ['/shop/pets/7/photo.png', { method: 'PUT', body: 'x', headers: { 'content-type': 'image/png' } }],
    ['/shop/pets', post({ ...dog, nick: null, home: null, parent: { ...dog, home: { street: 'A' } }, more: 1 })],
    ['/shop/pets', post('a=1', { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' })],
  ])('passes on %s that its document allows', async (path, init) => {
    expect(await ask(path, init)).toMatchObject({ status: 200 })
    expect(server.requests[0]).toContain(` ${path.replace('/shop', '/v2')} `)
  })

  it('passes a checked body on byte for byte', async () => {
    const text = '{ "name" : "R\\u0065x",\n"kind": {"type":"cat"} , "id": 1.0}'
    expect(await ask('/shop/pets', post(text))).toMatchObject({ status: 200 })
    expect(server.requests[0]?.endsWith(`\r\n\r\n${text}`)).toBe(true)
    const chunked = await bench.raw(
      `POST /shop/pets HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
    )
    expect(chunked).toMatch(/^HTTP\/1\.1 200/)
    expect(server.requests[1]).toContain(text)
  })

  it.each<[string, RequestInit, number, string, readonly string[] | undefined]>([
    ['/shop/pets?limit=0', {}, 400, 'invalid_input', ['/query/limit']],
    ['/shop/pets?limit=abc&tag=bird', {}, 400, 'invalid_input', ['/query/limit', '/query/tag/0']],
    ['/shop/pets?limit=1&limit=1000', {}, 400, 'invalid_input', ['/query/limit']],
    ['/shop/pets?ids=1,x', {}, 400, 'invalid_input', ['/query/ids/1']],
    ['/shop/pets?filter=nonsense', {}, 400, 'invalid_input', ['/query/filter']],
    ['/shop/pets?limit=%ff', {}, 400, 'invalid_input', ['/query']],
    ['/shop/pets', { headers: { 'x-fast': 'maybe' } }, 400, 'invalid_input', ['/header/X-Fast']],
    ['/shop/pets/0', {}, 400, 'invalid_input', ['/path/petId']],
    ['/shop/pets/seven', {}, 400, 'invalid_input', ['/path/petId']],
    ['/shop/pets', { method: 'POST' }, 400, 'invalid_input', ['/body']],
    [
      '/shop/pets',
      post({ name: '', kind: { type: 'cow' } }),
      400,
      'invalid_input',
      ['/body/kind', '/body/kind/type', '/body/kind/type', '/body/name'],
    ],
    ['/shop/pets', post({ ...dog, name: 7 }), 400, 'invalid_input', ['/body/name']],
    ['/shop/pets', post({ ...dog, parent: {} }), 400, 'invalid_input', ['/body/parent/name', '/body/parent/kind']],
    ['/shop/pets', post('{'), 400, 'invalid_input', ['/body']],
    ['/shop/pets', post(dog, { 'content-type': 'text/plain' }), 415, 'unsupported_media_type', undefined],
    ['/shop/pets', post(dog, { ...json, 'content-encoding': 'gzip' }), 415, 'unsupported_media_type', undefined],
    ['/shop/pets', post({ ...dog, name: 'x'.repeat(2_000) }), 413, 'body_too_large', undefined],
    ['/shop/stores', {}, 404, 'not_found', undefined],
    ['/shop', {}, 404, 'not_found', undefined],
    ['/shop/pets/', {}, 404, 'not_found', undefined],
    ['/shop/pets', { method: 'DELETE' }, 405, 'method_not_allowed', undefined],
  ])('refuses %s %j with %i', async (path, init, status, code, at) => {
    const reply = await ask(path, init)
    expect({ ...reply, at: reply.at?.toSorted() }).toMatchObject({
      status,
      code,
      at: at?.toSorted(),
      allow: status === 405 ? 'GET, POST, HEAD' : null,
    })
    expect(server.connections.join('')).toBe('')
  })

  it('passes on what the document does not know where that is wanted, and checks what it knows', async () => {
    expect(await ask('/open/stores', { method: 'DELETE' })).toMatchObject({ status: 200 })
    expect(await ask('/open/pets/x')).toMatchObject({ status: 400 })
  })

  it('has its operations in the one document, which a linter finds nothing in', async () => {
    const source = await (await bench.fetch('/openapi.json')).text()
    const document = JSON.parse(source) as {
      paths: Record<string, Record<string, Record<string, unknown>>>
      components: Record<string, Record<string, Record<string, unknown>>>
      tags: { name: string }[]
    }
    expect(Object.keys(document.paths).toSorted()).toEqual([
      '/open/pets',
      '/open/pets/{petId}',
      '/open/pets/{petId}/photo.{format}',
      '/shop/pets',
      '/shop/pets/{petId}',
      '/shop/pets/{petId}/photo.{format}',
      '/zoo',
    ])
    const list = document.paths['/shop/pets']?.['get']
    expect(list).toMatchObject({ operationId: 'list', security: [], tags: ['pets'] })
    expect(document.paths['/open/pets']?.['get']).toMatchObject({ operationId: 'Open.list' })
    const { schemas } = document.components
    expect(Object.keys(schemas ?? {})).toEqual(
      expect.arrayContaining(['Pet', 'ShopPet', 'Problem', 'ShopProblem', 'Home']),
    )
    // The other route has the same document: its schemas are there once.
    expect(Object.keys(schemas ?? {}).filter((name) => /^(?:Unused|Open)/.test(name))).toEqual([])
    expect(await officialErrors(document)).toEqual([])
    expect(schemas?.['ShopPet']).toMatchObject({
      properties: {
        nick: { type: ['string', 'null'] },
        parent: { $ref: '#/components/schemas/ShopPet' },
        home: { anyOf: [{ $ref: '#/components/schemas/Home' }, { type: 'null' }] },
      },
    })
    expect(source).not.toMatch(/theirs|nullable|"links"|pets\.example/)
    const config = await createConfig({ extends: ['recommended'] })
    const findings = await lintFromString({ source, config })
    expect(findings.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([])
  })
})

const minimal = (more: object = {}) => ({
  openapi: '3.1.0',
  info: { title: 'A', version: '1' },
  paths: { '/a': { get: { responses: { 200: { description: 'ok' } } } } },
  ...more,
})
const open = (openapi: Parameters<typeof upstream>[2] & object, pattern = '/x/*') =>
  startBench(undefined, { routes: [upstream(pattern, ['http://127.0.0.1:9'], { access: anyone(), ...openapi })] })
const body = (schema: object) => ({
  paths: { '/x/a': { post: { requestBody: { content: { 'application/json': { schema } } }, responses: {} } } },
})

describe('a foreign document', () => {
  it.each<[string, Parameters<typeof upstream>[2] & object, RegExp]>([
    ['of version 2', { openapi: minimal({ openapi: '2.0' }) }, /3\.0 or 3\.1 is understood, not 2\.0/],
    ['without operations', { openapi: minimal({ paths: {} }) }, /no operations/],
    ['that the pattern does not reach', { openapi: minimal() }, /none of its operations is reached.*\/a/],
    [
      'with a reference to elsewhere',
      { openapi: minimal(body({ $ref: 'https://evil.example/x.json' })) },
      /leads out of the document/,
    ],
    ['with a reference to nothing', { openapi: minimal(body({ $ref: '#/components/schemas/Lost' })) }, /nothing at/],
    [
      'with a schema that is none',
      { openapi: minimal(body({ type: 'text' })) },
      /POST \/x\/a, body: its schema cannot be used/,
    ],
    [
      'with a pattern that is none',
      { openapi: minimal(body({ type: 'string', pattern: '(' })) },
      /its schema cannot be used/,
    ],
    [
      'with two paths that are one',
      { openapi: minimal({ paths: { '/x/{a}': { get: {} }, '/x/{b}': { get: {} } } }) },
      /Two routes answer/,
    ],
    ['on another server', { openapi: new URL('https://pets.example/openapi.json') }, /save it beside/],
    ['that is not there', { openapi: new URL('./fixtures/none.yaml', import.meta.url) }, /none\.yaml.*cannot be read/],
    ['behind a rewrite', { openapi: minimal(), rewrite: '/y/*' }, /not with rewrite/],
  ])('%s is refused at start', async (_, options, message) => {
    await expect(open(options)).rejects.toThrow(message)
  })

  it('is read without a running gateway too, for whoever prints the document', async () => {
    const spec = gateway({
      routes: [
        expose(zoo, { only: ['visit'] }),
        aggregate(get('/both', { access: anyone() }), { visit: part(zoo.operations.visit, () => ({})) }),
        upstream('/shop/*', ['http://127.0.0.1:9'], { stripPrefix: '/shop', access: anyone(), openapi: pets }),
      ],
    })
    const { paths } = await gatewayDocument(spec, { title: 'Shop', version: '1.0.0' })
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/zoo', '/both', '/shop/pets']))
    const bench = await startBench(undefined, { authenticate: [], routes: spec.routes })
    expect((bench.gateway.openapi() as { paths: object }).paths).toEqual(paths)
    await bench.stop()
  })

  it('must be one', () => {
    expect(() => upstream('/x/*', ['http://a'], { openapi: {} as never })).toThrow(/the document itself/)
    expect(() => upstream('/x/*', ['http://a'], { openapi: { document: minimal(), base: 'v2' } })).toThrow(/base/)
  })

  it('is shown with the access of its route, its own operations after those of contracts', async () => {
    const bench = await startBench(undefined, {
      routes: [
        expose(notes),
        expose(zoo, { only: ['owned'] }),
        upstream('/shop/*', ['http://127.0.0.1:9'], { stripPrefix: '/shop', access: scopes('pets'), openapi: pets }),
      ],
    })
    const { paths, components } = bench.gateway.openapi() as {
      paths: Record<string, Record<string, Record<string, unknown>>>
      components: Record<string, object>
    }
    expect(paths['/shop/pets']?.['get']?.['security']).toEqual([{ bearer: ['pets'] }])
    expect(paths['/shop/pets']?.['get']?.['responses']).toHaveProperty('401')
    // The contract's operation answers at this address: the document shows it, not the foreign one.
    expect(paths['/shop/pets/{id}']?.['get']?.['operationId']).toBe('zoo.owned')
    expect(paths['/shop/pets/{petId}']).toBeUndefined()
    expect(components['securitySchemes']).toHaveProperty('bearer')
    await bench.stop()
  })
})

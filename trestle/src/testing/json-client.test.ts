import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AskJson, jsonClient } from './json-client.ts'

describe('a client of JSON over HTTP', () => {
  let ask: AskJson
  let url: string
  /** Says what came, unless it is asked for nothing, for what is no JSON, or not to answer. */
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method, headers } = request
      const said = { method, body: Buffer.concat(chunks).toString(), ...headers }
      if (request.url === '/silence') return
      if (request.url === '/nothing') response.writeHead(204).end()
      else response.writeHead(418, { 'x-more': 'yes' }).end(request.url === '/text' ? 'a text' : JSON.stringify(said))
    })
  })
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    ask = jsonClient(url)
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  it('sends JSON or a form, with a token and headers, and reads any status', async () => {
    const json = await ask('PUT', '/', { body: { a: 1 }, token: 't', headers: { 'x-key': 'k' } })
    expect(json).toMatchObject({
      status: 418,
      body: {
        method: 'PUT',
        body: '{"a":1}',
        'content-type': 'application/json',
        authorization: 'Bearer t',
        'x-key': 'k',
      },
    })
    expect(json.headers.get('x-more')).toBe('yes')
    const form = { body: 'a=1', 'content-type': 'application/x-www-form-urlencoded' }
    expect((await ask('POST', '/', { form: 'a=1' })).body).toMatchObject(form)
    expect(Object.keys((await ask('GET', '/')).body)).not.toContain('content-type')
    expect(await ask('DELETE', '/nothing')).toMatchObject({ status: 204, body: undefined })
  })

  it('rejects what is no JSON, and gives up', async () => {
    await expect(ask('GET', '/text')).rejects.toThrow(/JSON/)
    await expect(jsonClient(url, 20)('GET', '/silence')).rejects.toThrow(/timeout/)
    await expect(ask('GET', '/silence', { signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/)
  })
})

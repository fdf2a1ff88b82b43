import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type FaultProxy, faultProxy } from './fault-proxy.ts'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function started() {
  const seen: string[] = []
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      seen.push(`${request.method} ${request.url} ${text}`)
      return response.end(`got ${text}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const proxy = await faultProxy((server.address() as AddressInfo).port)
  opened.push(async () => proxy[Symbol.asyncDispose]())
  return { proxy, seen }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

const post = (proxy: FaultProxy, path: string, body: string, timeoutMs = 30_000) =>
  fetch(proxy.url + path, { method: 'POST', body, signal: AbortSignal.timeout(timeoutMs) })

describe('a proxy that puts faults in', () => {
  it('gives everything on until a rule says otherwise, also many requests of one connection', async () => {
    const { proxy, seen } = await started()
    for (const body of ['a', 'bb', 'c'.repeat(200_000)]) {
      expect(await (await post(proxy, '/x', body)).text()).toBe(`got ${body}`)
    }
    expect(seen.length).toBe(3)
    expect(proxy.requests()).toBe(3)
    expect(Object.values(proxy.happened())).toEqual([0, 0, 0, 0, 0])
  })

  it('breaks a connection before the request has gone on', async () => {
    const { proxy, seen } = await started()
    proxy.rule(() => ({ kind: 'reset' }))
    await expect(post(proxy, '/x', 'a')).rejects.toThrow(/fetch failed/)
    expect(seen).toEqual([])
    proxy.rule(undefined)
    expect((await post(proxy, '/x', 'a')).status).toBe(200)
  })

  it('breaks a connection after the request has gone on', async () => {
    const { proxy, seen } = await started()
    proxy.rule(() => ({ kind: 'cut', afterMs: 100 }))
    await expect(post(proxy, '/x', 'a')).rejects.toThrow(/fetch failed/)
    expect(seen).toEqual(['POST /x a'])
  })

  it('keeps a reply so long that its client has gone, while the request has had its effect', async () => {
    const { proxy, seen } = await started()
    proxy.rule(() => ({ kind: 'hang', delayMs: 60_000 }))
    await expect(post(proxy, '/x', 'a', 300)).rejects.toThrow(/timeout/)
    expect(seen).toEqual(['POST /x a'])
    proxy.rule(() => ({ kind: 'hang', delayMs: 20 }))
    expect(await (await post(proxy, '/x', 'b')).text()).toBe('got b')
  })

  it('answers in place of the server, for the requests that a rule picks', async () => {
    const { proxy, seen } = await started()
    proxy.rule(({ method, target }) =>
      method === 'POST' && target === '/y' ? { kind: 'status', status: 500 } : undefined,
    )
    expect((await post(proxy, '/y', 'a')).status).toBe(500)
    expect((await post(proxy, '/x', 'b')).status).toBe(200)
    expect(seen).toEqual(['POST /x b'])
    expect(proxy.happened()).toMatchObject({ status: 1 })
  })

  it('lets a request wait', async () => {
    const { proxy } = await started()
    proxy.rule(() => ({ kind: 'delay', delayMs: 50 }))
    const began = performance.now()
    expect((await post(proxy, '/x', 'a')).status).toBe(200)
    expect(performance.now() - began).toBeGreaterThan(45)
  })

  it('follows its server to another port', async () => {
    const [one, other] = [await started(), await started()]
    one.proxy.target(Number(new URL(other.proxy.url).port))
    expect((await post(one.proxy, '/x', 'a')).status).toBe(200)
    expect(other.seen.length).toBe(1)
    expect(one.seen).toEqual([])
  })
})

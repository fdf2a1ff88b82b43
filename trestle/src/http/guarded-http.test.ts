import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guardedHttp } from './guarded-http.ts'
import type { HttpRequest, HttpServer } from './message.ts'
import { serve } from './serve.ts'

const named = (addresses: readonly string[]) => async () => addresses

/** What asking came to: the status, or the code of the refusal. */
const outcome = async (asked: Promise<{ status: number }>) =>
  await asked.then(
    ({ status }) => status,
    (error: { code?: string }) => error.code ?? 'no code',
  )

describe('guarded HTTP', () => {
  let server: HttpServer
  let requests: HttpRequest[] = []
  let location = ''
  let hold: Promise<void> | undefined
  beforeAll(async () => {
    server = await serve({
      host: '127.0.0.1',
      port: 0,
      async handler(request) {
        requests.push(request)
        if (request.target === '/hang') await hold
        if (request.target === '/drip') return { status: 200, headers: [], body: drip() }
        if (request.target === '/away') return { status: 302, headers: [['Location', location]] }
        return { status: 200, headers: [], body: 'x'.repeat(100) }
      },
    })
  })
  afterAll(() => server.close())

  const at = (path: string) => `http://127.0.0.1:${server.port}${path}`

  async function* drip() {
    yield Buffer.from('x')
    await hold
  }

  async function asking(url: string, options: Parameters<typeof guardedHttp>[0] = {}, more = {}) {
    requests = []
    const http = guardedHttp(options)
    try {
      return await outcome(http.request({ url, ...more }))
    } finally {
      await http.close()
    }
  }

  it.each([
    'http://127.0.0.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://0:PORT/',
    'http://0.0.0.0:PORT/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[64:ff9b::127.0.0.1]:PORT/',
    'http://localhost:PORT/',
    'http://127。0。0。1:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'http://someone@example.com/',
    'nowhere',
  ])('refuses %s and sends nothing', async (url) => {
    expect(await asking(url.replace('PORT', String(server.port)))).toBe('address_refused')
    expect(requests).toEqual([])
  })

  it('refuses a name when one of its addresses must not be asked', async () => {
    const url = `http://name.test:${server.port}/`
    expect(await asking(url, { resolve: named(['127.0.0.1']) })).toBe('address_refused')
    expect(await asking(url, { resolve: named(['1.1.1.1', '10.0.0.1']) })).toBe('address_refused')
    expect(await asking(url, { resolve: named(['169.254.169.254']), allowPrivateNetworks: true })).toBe(
      'address_refused',
    )
    expect(requests).toEqual([])
  })

  it('connects to the address that was checked: a name is resolved once', async () => {
    let asked = 0
    const resolve = async () => {
      asked += 1
      return asked === 1 ? ['127.0.0.1'] : ['169.254.169.254']
    }
    expect(await asking(`http://name.test:${server.port}/`, { resolve, allowPrivateNetworks: true })).toBe(200)
    expect(asked).toBe(1)
    expect(requests[0]?.headers.get('host')).toBe(`name.test:${server.port}`)
  })

  it('asks private networks where that is allowed, and what is forbidden never', async () => {
    expect(await asking(`http://127.0.0.1:${server.port}/`, { allowPrivateNetworks: true })).toBe(200)
    for (const url of [
      'http://169.254.169.254/',
      'http://0.0.0.0/',
      'http://[fe80::1]/',
      'http://[::ffff:a9fe:a9fe]/',
    ]) {
      expect(await asking(url, { allowPrivateNetworks: true })).toBe('address_refused')
    }
  })

  describe('with redirects', () => {
    it('follows none by default', async () => {
      location = '/'
      expect(await asking(at('/away'), { allowPrivateNetworks: true })).toBe('redirect_refused')
      expect(requests).toHaveLength(1)
    })

    it('checks each and follows a bounded number', async () => {
      const options = { allowPrivateNetworks: true, redirectsMax: 2 }
      location = '/'
      expect(await asking(at('/away'), options)).toBe(200)
      location = '/away'
      expect(await asking(at('/away'), options)).toBe('redirect_refused')
      expect(requests).toHaveLength(3)
      location = 'http://169.254.169.254/latest/meta-data/'
      expect(await asking(at('/away'), options)).toBe('address_refused')
      location = 'file:///etc/passwd'
      expect(await asking(at('/away'), options)).toBe('address_refused')
      location = '/'
      expect(await asking(at('/away'), options, { method: 'POST', body: 'x' })).toBe('redirect_refused')
    })

    it('takes no credential to another host', async () => {
      location = `http://name.test:${server.port}/`
      const options = { allowPrivateNetworks: true, redirectsMax: 1, resolve: named(['127.0.0.1']) }
      const headers = [
        ['Authorization', 'Bearer x'],
        ['Accept', 'text/plain'],
      ]
      expect(await asking(at('/away'), options, { headers })).toBe(200)
      expect(requests.map((request) => [request.headers.get('authorization'), request.headers.get('accept')])).toEqual([
        ['Bearer x', 'text/plain'],
        [undefined, 'text/plain'],
      ])
    })
  })

  it('bounds the size and the time of a reply', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    hold = promise
    expect(await asking(at('/'), { allowPrivateNetworks: true, bodyMaxBytes: 99 })).toBe('body_too_large')
    expect(await asking(at('/hang'), { allowPrivateNetworks: true, timeoutMs: 50 })).toBe('timeout')
    expect(await asking(at('/drip'), { allowPrivateNetworks: true, timeoutMs: 50 })).toBe('timeout')
    resolve()
  })
})

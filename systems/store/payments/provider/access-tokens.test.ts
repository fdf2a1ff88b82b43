import { CallError } from 'trestle/service'
import { describe, expect, it } from 'vitest'
import { clientCredentials, createAsClient } from './access-tokens.ts'
import type { ProviderArgs } from './provider.ts'

function setup({ seconds = 3_600 } = {}) {
  let [given, at] = [0, 0]
  const asked: string[] = []
  const token = async ({ authorization }: { authorization: string }) => {
    asked.push(authorization)
    return { access_token: `t${++given}`, expires_in: seconds }
  }
  const args = { call: { provider: { token } }, now: () => at } as unknown as ProviderArgs
  const asClient = createAsClient({ id: 'store', secret: 'secret' })
  return {
    asked,
    ask: <T>(what: (authorization: string) => Promise<T>) => asClient(args, what),
    pass: (ms: number) => {
      at += ms
    },
  }
}

const itself = async (authorization: string) => authorization

describe('the access token', () => {
  it('is asked for once, with the client’s name and secret, and kept for everybody', async () => {
    const { ask, asked } = setup()
    expect(await Promise.all([ask(itself), ask(itself)])).toEqual(['Bearer t1', 'Bearer t1'])
    expect(await ask(itself)).toBe('Bearer t1')
    expect(asked).toEqual([`Basic ${Buffer.from('store:secret').toString('base64')}`])
  })

  it('is renewed before it ends', async () => {
    const { ask, pass } = setup({ seconds: 100 })
    expect(await ask(itself)).toBe('Bearer t1')
    pass(39_999)
    expect(await ask(itself)).toBe('Bearer t1')
    pass(1)
    expect(await ask(itself)).toBe('Bearer t2')
  })

  it('that is refused is replaced, and the request made again, once', async () => {
    const { ask, asked } = setup()
    const refuses = (...tokens: string[]) =>
      ask(async (authorization) => {
        if (tokens.includes(authorization)) throw unauthenticated()
        return authorization
      })
    expect(await refuses('Bearer t1')).toBe('Bearer t2')
    await expect(refuses('Bearer t2', 'Bearer t3')).rejects.toThrow('unauthenticated')
    expect(asked.length).toBe(3)
  })

  it('that cannot be got is asked for again by the next', async () => {
    const { ask } = setup()
    let fails = true
    const asClient = createAsClient({ id: 'store', secret: 'secret' })
    const token = async () => {
      if (fails) throw new Error('down')
      return { access_token: 'up', expires_in: 10 }
    }
    const args = { call: { provider: { token } }, now: () => 0 } as unknown as ProviderArgs
    await expect(asClient(args, itself)).rejects.toThrow('down')
    fails = false
    expect(await asClient(args, itself)).toBe('Bearer up')
    expect(await ask(itself)).toBe('Bearer t1')
  })

  it('needs a secret that is set, in production', () => {
    expect(clientCredentials({})).toEqual({ id: 'store', secret: 'store-development-secret' })
    expect(() => clientCredentials({ NODE_ENV: 'production' })).toThrow('PAYMENTS_CLIENT_SECRET')
    const env = { NODE_ENV: 'production', PAYMENTS_CLIENT_ID: 'a', PAYMENTS_CLIENT_SECRET: 'b' }
    expect(clientCredentials(env)).toEqual({ id: 'a', secret: 'b' })
  })
})

function unauthenticated(): CallError {
  return new CallError('payment-provider.find', {
    code: 'unauthenticated',
    status: 401,
    title: '',
    declared: false,
    instance: '',
    traceId: '',
  })
}

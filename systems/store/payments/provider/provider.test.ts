import { CallError } from 'trestle/service'
import { describe, expect, it } from 'vitest'
import { createProvider, type ProviderArgs } from './provider.ts'

const url = 'https://store.example/webhooks/payments'

function refuse(code: string): never {
  throw new CallError('payment-provider.registerWebhook', {
    code,
    status: 400,
    title: code,
    declared: true,
    traceId: '',
  })
}

/** A payment system that knows the second token only, and what was registered before. */
function setup(...registered: readonly string[]) {
  let given = 0
  const registerWebhook = async ({ authorization }: { readonly authorization: string }) => {
    if (authorization !== 'Bearer t2') refuse('unauthenticated')
    if (registered.length > 0) refuse('webhook_url_already_exists')
    return { id: 'new' }
  }
  const provider = {
    token: async () => ({ access_token: `t${++given}`, expires_in: 3_600 }),
    registerWebhook: Object.assign(registerWebhook, {
      try: (input: { readonly authorization: string }) =>
        registerWebhook(input).then(
          (value) => ({ ok: true, value }),
          (error: unknown) => ({ ok: false, error }),
        ),
    }),
    webhooks: async () => ({ webhooks: registered.map((known) => ({ id: 'old', url: known })) }),
  }
  const args = { call: { provider }, now: () => 0 } as unknown as ProviderArgs
  return () => createProvider({ id: 'store', secret: 'secret' }).listen(args, url)
}

describe('the store', () => {
  it('is told of payments although its first token was refused', async () => {
    expect(await setup()()).toBe('new')
  })

  it('is told under the id that it has, when it was registered before', async () => {
    expect(await setup(url)()).toBe('old')
    await expect(setup('https://other.example')()).rejects.toThrow('webhook_url_already_exists')
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jwt } from '../authentication/jwt.ts'
import { type Bench, startBench } from '../gateway-fixture.ts'
import { type DevelopmentIssuer, developmentIssuer } from './development-issuer.ts'

describe('an issuer for development', () => {
  let issuer: DevelopmentIssuer
  let bench: Bench
  beforeAll(async () => {
    issuer = await developmentIssuer({ clients: [{ id: 'job', secret: 'job-secret' }], scopes: ['admin', 'root'] })
    const api = jwt({ issuer: issuer.url, audience: issuer.audience, allowPrivateNetworks: true })
    bench = await startBench(undefined, { authenticate: [api] })
  })
  afterAll(async () => {
    await bench.stop()
    await issuer.close()
  })

  const tokenFor = async (secret: string, scope: string) => {
    const credentials = Buffer.from(`job:${secret}`).toString('base64')
    return await fetch(`${issuer.url}/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
    })
  }

  it('gives a client a token in its own name, which a gateway verifies', async () => {
    const reply = await tokenFor('job-secret', 'admin root')
    expect(reply.status).toBe(200)
    const { access_token: token } = (await reply.json()) as { access_token: string }
    const got = await bench.fetch('/admin/x', { headers: { Authorization: `Bearer ${token}` } })
    expect(got.status).toBe(200)
    expect(bench.calls.at(-1)?.caller).toEqual({ kind: 'user', id: 'job', scopes: ['admin', 'root'] })
  })

  it('gives none for a wrong secret', async () => {
    expect((await tokenFor('guessed', 'admin')).status).toBe(401)
  })
})

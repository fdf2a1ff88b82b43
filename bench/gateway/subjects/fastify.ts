import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { freePort, get, startGateway, type Subject } from '../subject.ts'

const key = 'k_0123456789abcdefghijklmnopqrstuv'
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signed with the secret of fastify-main.ts. */
function token(): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: 'alice', exp: 4_102_444_800 })}`
  const signature = createHmac('sha256', 'a secret of more than thirty-two characters').update(signed)
  return `${signed}.${signature.digest('base64url')}`
}

function subject(features: string, list: string, headers: Readonly<Record<string, string>>): Subject {
  return {
    gateway: '@fastify/http-proxy',
    features,
    async start({ upstreamPort }) {
      const port = await freePort()
      const main = join(import.meta.dirname, 'fastify-main.ts')
      const running = await startGateway(process.execPath, [main, String(port), String(upstreamPort), list], {
        port,
        env: { NODE_ENV: 'production' },
      })
      return { ...running, port, requests: [get('/items/1', headers)] }
    },
  }
}

export const fastify: readonly Subject[] = [
  subject('bare', '', {}),
  subject('key + limit + log', 'key,limit,log', { 'X-Api-Key': key }),
  subject('jwt', 'jwt', { Authorization: `Bearer ${token()}` }),
]

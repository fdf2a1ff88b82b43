/** `node fastify-main.ts PORT UPSTREAM FEATURES`: @fastify/http-proxy with the features that are named. */
import { createHash } from 'node:crypto'
import proxy from '@fastify/http-proxy'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'

const [port, upstream, list = ''] = process.argv.slice(2)
const features = new Set(list.split(','))
const owners = new Map([[createHash('sha256').update('k_0123456789abcdefghijklmnopqrstuv').digest('hex'), 'alice']])

const app = Fastify({ logger: features.has('log'), keepAliveTimeout: 75_000 })
if (features.has('limit')) {
  await app.register(rateLimit, {
    max: 10_000_000,
    timeWindow: 60_000,
    keyGenerator: (request) => String(request.headers['x-api-key'] ?? request.ip),
  })
}
if (features.has('jwt')) await app.register(jwt, { secret: 'a secret of more than thirty-two characters' })
await app.register(proxy, {
  upstream: `http://127.0.0.1:${upstream}`,
  undici: { connections: 256, pipelining: 1 },
  async preHandler(request, reply) {
    if (features.has('jwt')) await request.jwtVerify()
    if (!features.has('key')) return
    const hash = createHash('sha256').update(String(request.headers['x-api-key'])).digest('hex')
    if (!owners.has(hash)) await reply.code(401).send({ code: 'unauthenticated' })
    delete request.headers['x-api-key']
  },
})
await app.listen({ host: '127.0.0.1', port: Number(port) })

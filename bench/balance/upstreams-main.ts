/**
 * Three upstreams that answer after ten milliseconds of work, forked. Each does so many requests at once; the rest wait in
 * line. A message `{ slower: n }` makes the first n times slower. Says where they listen.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const workMs = 10
const atOnceMax = 32
let slower = 1

process.on('message', (message: { readonly slower: number }) => {
  slower = message.slower
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ports: await Promise.all([start(() => workMs * slower), start(() => workMs), start(() => workMs)]) })

function start(work: () => number): Promise<number> {
  const waiting: ServerResponse[] = []
  let working = 0
  const next = () => {
    const response = waiting.shift()
    if (response !== undefined) answer(response)
  }
  const answer = (response: ServerResponse) => {
    working += 1
    setTimeout(() => {
      working -= 1
      response.end('ok')
      next()
    }, work())
  }
  const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
    if (working < atOnceMax) answer(response)
    else waiting.push(response)
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Passes each request to the next target, whatever became of the one before; gives its address. */
export function roundRobin(targets: readonly string[]): Promise<string> {
  const agent = new Agent({ keepAlive: true })
  let turn = 0
  const server = createServer((asked, reply) => {
    const target = targets[turn++ % targets.length] as string
    request(new URL(asked.url ?? '/', target), { agent }, (answered) => {
      reply.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(reply)
    })
      .on('error', () => reply.writeHead(502).end())
      .end()
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}

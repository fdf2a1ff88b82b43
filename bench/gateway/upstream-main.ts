/**
 * The upstream of all gateways that are measured: `node upstream-main.ts`, on its own core. It answers every request with
 * the same small JSON document, as cheaply as a process can, and says on stdout where it listens.
 */
import { createServer } from 'node:net'
import { document } from './document.ts'

const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${document.length}\r\n\r\n`
const reply = Buffer.from(head + document)
const end = '\r\n\r\n'

const server = createServer((socket) => {
  let rest = ''
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    rest += chunk.toString('latin1')
    for (let at = rest.indexOf(end); at !== -1; at = rest.indexOf(end)) {
      rest = rest.slice(at + end.length)
      socket.write(reply)
    }
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.stdout.write(`${address.port}\n`)
})
process.on('disconnect', () => process.exit(0))

import type { Socket } from 'node:net'

/**
 * Writes the body of a request as it comes, with back-pressure; stops when the reply has ended already.
 * @param length bytes that the head has announced; `undefined`: in chunks
 * @throws what the body throws; TypeError when it is longer or shorter than announced
 */
export async function sendBody(
  socket: Socket,
  body: AsyncIterable<Uint8Array>,
  length: number | undefined,
  over: () => boolean,
): Promise<void> {
  let left = length
  for await (const chunk of body) {
    if (over() || socket.destroyed) return
    if (chunk.length === 0) continue
    if (left !== undefined) left -= chunk.length
    if (left !== undefined && left < 0) throw new TypeError('The body is longer than its Content-Length')
    if (!write(socket, chunk, length === undefined)) await drained(socket)
  }
  if (over() || socket.destroyed) return
  if (left !== undefined && left > 0) throw new TypeError('The body is shorter than its Content-Length')
  if (left === undefined) socket.write('0\r\n\r\n', 'latin1')
}

function write(socket: Socket, chunk: Uint8Array, inChunks: boolean): boolean {
  if (!inChunks) return socket.write(chunk)
  socket.cork()
  socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
  socket.write(chunk)
  const goOn = socket.write('\r\n', 'latin1')
  socket.uncork()
  return goOn
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve()
    const done = () => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

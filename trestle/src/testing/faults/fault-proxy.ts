import { createServer, connect, type Socket } from 'node:net'
import { type RequestHead, RequestHeads } from './request-heads.ts'

/** What a proxy does to a request. */
export type ProxyFault =
  /** It goes on after so many milliseconds. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The connection breaks before the request has gone on: nothing has happened. */
  | { readonly kind: 'reset' }
  /** The request goes on, and then the connection breaks: something may have happened. */
  | { readonly kind: 'cut'; readonly afterMs?: number }
  /** The request goes on, its reply is kept for so long, and what comes then is given on: late. */
  | { readonly kind: 'hang'; readonly delayMs: number }
  /** It is answered so, and does not go on. */
  | { readonly kind: 'status'; readonly status: number }

/** Says what becomes of a request; `undefined`: it goes through. */
export type ProxyRule = (request: RequestHead) => ProxyFault | undefined

/** A proxy between an HTTP client and a server. */
export interface FaultProxy extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** For requests that come from now on. */
  rule(rule: ProxyRule | undefined): void
  /** Where connections go from now on. */
  target(port: number): void
  /** How often each fault has happened. */
  readonly happened: () => Readonly<Record<ProxyFault['kind'], number>>
  /** Requests that came. */
  readonly requests: () => number
}

/**
 * Starts a proxy on a free port of 127.0.0.1 that gives everything on until a rule says otherwise. It knows requests apart,
 * and gives replies on as they come.
 * @example await using proxy = await faultProxy(4100)
 *   proxy.rule(({ target }) => (target.endsWith('/capture') ? { kind: 'cut' } : undefined))
 */
export async function faultProxy(port: number, listenPort = 0): Promise<FaultProxy> {
  const happened: Record<ProxyFault['kind'], number> = { delay: 0, reset: 0, cut: 0, hang: 0, status: 0 }
  const open = new Set<Socket>()
  let requests = 0
  let target = port
  let rule: ProxyRule | undefined
  const ruled = (head: RequestHead) => {
    requests += 1
    const fault = rule?.(head)
    if (fault !== undefined) happened[fault.kind] += 1
    return fault
  }
  const server = createServer((client) => {
    open.add(client)
    client.on('close', () => open.delete(client))
    passOn(client, target, ruled, open)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(listenPort, '127.0.0.1', resolve)
  })
  const address = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${address.port}`,
    rule(next) {
      rule = next
    },
    target(next) {
      target = next
    },
    happened: () => ({ ...happened }),
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

type Ruled = (head: RequestHead) => ProxyFault | undefined

function passOn(client: Socket, port: number, ruled: Ruled, open: Set<Socket>): void {
  const server = connect(port, '127.0.0.1')
  open.add(server)
  const heads = new RequestHeads()
  /** The next part waits for what is done with the one before. */
  let order = Promise.resolve()
  /** Replies are kept until then, monotonic milliseconds. */
  let keptUntil = 0
  let swallowed = false
  const breakOff = () => {
    client.resetAndDestroy()
    server.destroy()
  }
  client.on('error', () => server.destroy())
  server.on('error', () => client.resetAndDestroy())
  client.on('close', () => server.destroy())
  server.on('close', () => {
    open.delete(server)
    void order.then(() => client.end())
  })
  server.on('data', (chunk) => {
    const waitMs = keptUntil - performance.now()
    if (waitMs <= 0) client.write(chunk)
    else if (Number.isFinite(waitMs)) setTimeout(() => client.destroyed || client.write(chunk), waitMs).unref()
  })
  const onHead = async (head: RequestHead, bytes: Buffer) => {
    const fault = ruled(head)
    swallowed = false
    if (fault?.kind === 'reset') return breakOff()
    if (fault?.kind === 'status') {
      swallowed = true
      client.write(`HTTP/1.1 ${fault.status} Fault\r\ncontent-length: 0\r\n\r\n`)
      return undefined
    }
    if (fault?.kind === 'delay') await wait(fault.delayMs)
    if (fault?.kind === 'hang') keptUntil = performance.now() + fault.delayMs
    if (fault?.kind === 'cut') {
      keptUntil = Number.POSITIVE_INFINITY
      setTimeout(breakOff, fault.afterMs ?? 200).unref()
    }
    server.write(bytes)
    return undefined
  }
  client.on('data', (chunk) => {
    let parts
    try {
      parts = heads.push(chunk)
    } catch {
      return breakOff()
    }
    for (const part of parts) {
      order = order.then(async () => {
        if (part.kind === 'head') return await onHead(part.head, part.bytes)
        if (!swallowed) server.write(part.bytes)
        return undefined
      })
    }
    return undefined
  })
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

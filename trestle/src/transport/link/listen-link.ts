import type { Server, Socket } from 'node:net'
import type { Handle } from '../../call/call.ts'
import type { Address } from '../../call/instance.ts'
import type { Clock } from '../../std/clock.ts'
import type { CallerCodec } from './call-codec.ts'
import { Callee, type CalleeOptions } from './callee.ts'
import { Connection, type LinkLog } from './connection.ts'
import { type Frame, FrameType, LinkProtocolError } from './frame.ts'
import { commonVersion, type Hello, hello, type LinkSelf, parseHello, prove, sameProof } from './handshake.ts'
import { defaultLinkLimits, type LinkLimits } from './limits.ts'
import { listen } from './socket.ts'

export interface ListenLinkOptions {
  /** Where to listen; TCP port 0 picks a free one. */
  readonly address: Address
  /** The system's key, 32 bytes: both ends prove that they have it. */
  readonly key: Uint8Array
  readonly self: LinkSelf
  /** Serves the calls. It is asked for replies as bytes. */
  readonly handle: Handle
  readonly callers: CallerCodec
  readonly clock: Clock
  readonly log: LinkLog
  readonly limits?: LinkLimits
}

export interface LinkServer {
  /** With the port that was found free. */
  readonly address: Address
  /** Calls that run now. */
  inFlight(): number
  /**
   * Stops listening, asks every peer to call elsewhere, finishes what runs and what is on its way, then closes.
   * What is not done after `timeoutMs` is cut.
   */
  drain(timeoutMs: number): Promise<void>
  /** Cuts everything now. */
  close(): Promise<void>
}

/**
 * Serves the calls of other Trestle processes. Nothing that a peer sends can do more than close its own link.
 * @throws the system's error when the address cannot be listened on
 * @example await listenLink({ address: { kind: 'unix', path }, key, self, handle, callers, clock, log })
 */
export async function listenLink(options: ListenLinkOptions): Promise<LinkServer> {
  const limits = { ...defaultLinkLimits, ...options.limits }
  const peers = new Set<Peer>()
  const { server, address } = await listen(options.address, (socket) => {
    if (peers.size >= limits.connectionsMax) {
      options.log.warn({ connectionsMax: limits.connectionsMax }, 'a link was refused: too many connections')
      socket.destroy()
      return
    }
    const peer: Peer = new Peer(socket, options, limits, () => {
      peers.delete(peer)
      waiting?.()
    })
    peers.add(peer)
  })
  let waiting: (() => void) | undefined

  return {
    address,
    inFlight: () => [...peers].reduce((sum, peer) => sum + peer.inFlight, 0),
    async drain(timeoutMs) {
      const closed = closeServer(server)
      for (const peer of peers) peer.drain()
      await new Promise<void>((resolve) => {
        const timer = options.clock.setTimeout(resolve, timeoutMs)
        waiting = () => {
          if (peers.size > 0) return
          timer.cancel()
          resolve()
        }
        waiting()
      })
      for (const peer of peers) peer.close('not drained in time')
      await closed
    },
    async close() {
      const closed = closeServer(server)
      for (const peer of peers) peer.close('the listener closed')
      await closed
    },
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.listening) server.close(() => resolve())
    else resolve()
  })
}

/** One connection to the listener: the handshake, then its calls. */
class Peer {
  readonly #connection: Connection
  readonly #options: ListenLinkOptions
  readonly #limits: Required<LinkLimits>
  #hello: { readonly text: string; readonly theirs: Hello; readonly ours: string } | undefined
  #callee: Callee | undefined
  #draining = false

  constructor(socket: Socket, options: ListenLinkOptions, limits: Required<LinkLimits>, onClosed: () => void) {
    this.#options = options
    this.#limits = limits
    this.#connection = new Connection(socket, options.clock, limits, {
      frame: (frame) => this.#frame(frame),
      closed: (reason, fault) => {
        this.#callee?.abandon()
        if (fault) this.#warn(reason)
        onClosed()
      },
    })
  }

  get inFlight(): number {
    return this.#callee?.inFlight ?? 0
  }

  drain(): void {
    if (this.#callee === undefined) return this.#connection.close('draining', false)
    if (this.#draining) return
    this.#draining = true
    this.#connection.outbox.send(FrameType.goAway, 0, 0, '')
  }

  close(reason: string): void {
    this.#connection.close(reason, false)
  }

  /** Links that end in peace are no news: a deploy in a system of twenty processes ends dozens. */
  #warn(reason: string): void {
    this.#options.log.warn({ peer: this.#hello?.theirs.process, reason }, 'a link was closed')
  }

  #frame(frame: Frame): void {
    if (this.#callee !== undefined) this.#callee.frame(frame)
    else if (this.#hello === undefined) this.#greet(frame)
    else this.#admit(frame)
  }

  #greet(frame: Frame): void {
    if (frame.type !== FrameType.hello) throw new LinkProtocolError('the peer did not say hello')
    const text = frame.meta.toString('utf8')
    const theirs = parseHello(frame.meta)
    commonVersion(theirs.versions)
    const ours = hello(this.#options.self, this.#limits.callsMax, this.#limits.messageMaxBytes)
    this.#hello = { text, theirs, ours }
    const proof = prove(this.#options.key, 'callee', text, ours)
    this.#connection.outbox.send(FrameType.hello, 0, 0, ours, proof)
  }

  #admit(frame: Frame): void {
    if (this.#hello === undefined || frame.type !== FrameType.proof)
      throw new LinkProtocolError('the peer proved nothing')
    const expected = prove(this.#options.key, 'caller', this.#hello.text, this.#hello.ours)
    if (!sameProof(expected, frame.body)) {
      this.#connection.outbox.send(FrameType.refuse, 0, 0, 'wrong key')
      return this.#connection.end('the peer does not have the key of this system', true)
    }
    this.#connection.established()
    const options: CalleeOptions = { ...this.#options, limits: this.#limits }
    this.#callee = new Callee(this.#connection, this.#hello.theirs, options, () =>
      this.#connection.end('drained', false),
    )
  }
}

import type { Socket } from 'node:net'
import type { Reply } from '../../call/call.ts'
import type { Clock } from '../../std/clock.ts'
import { type CallerCodec, callFlags, encodeCallMeta } from './call-codec.ts'
import { Connection } from './connection.ts'
import { Flag, type Frame, FrameType, LinkProtocolError } from './frame.ts'
import { commonVersion, type Hello, hello, type LinkSelf, parseHello, prove, sameProof } from './handshake.ts'
import { InboundBody } from './inbound-body.ts'
import type { LinkLimits } from './limits.ts'
import { refusal } from './link-problem.ts'
import type { PendingCall } from './pending.ts'
import { decodeReply } from './reply-codec.ts'

export interface CallerLinkOptions {
  readonly key: Uint8Array
  readonly self: LinkSelf
  readonly callers: CallerCodec
  readonly clock: Clock
  readonly limits: Required<LinkLimits>
}

export interface CallerLinkEvents {
  opened(): void
  /** The callee wants no more calls here; those that run are finished. */
  draining(): void
  closed(reason: string, fault: boolean): void
}

/** A call on the wire. It keeps its place until the callee has answered, also when nobody waits any more. */
interface Outgoing {
  readonly pending: PendingCall
  reply: { readonly flags: number; readonly meta: Buffer; readonly body: InboundBody } | undefined
}

const lastStream = 0xffff_ffff

/** The caller's end of one connection. */
export class CallerLink {
  readonly #connection: Connection
  readonly #options: CallerLinkOptions
  readonly #events: CallerLinkEvents
  readonly #ours: string
  readonly #outgoing = new Map<number, Outgoing>()
  #peer: Hello | undefined
  #next = 1
  #draining = false
  #refused = false

  constructor(socket: Socket, options: CallerLinkOptions, events: CallerLinkEvents) {
    this.#options = options
    this.#events = events
    const { clock, limits } = options
    this.#connection = new Connection(socket, clock, limits, {
      frame: (frame) => this.#frame(frame),
      closed: (reason, fault) => this.#closed(reason, fault),
    })
    this.#ours = hello(options.self, limits.callsMax, limits.messageMaxBytes)
    this.#connection.outbox.send(FrameType.hello, 0, 0, this.#ours)
  }

  /** Sends a call, or answers it at once when the link is full or the call too large. */
  send(pending: PendingCall): void {
    const refused = this.#refusal(pending)
    if (refused !== undefined) return pending.settle(refused)
    const { call, body } = pending
    const { clock, callers } = this.#options
    let meta: string
    try {
      meta = encodeCallMeta(call, call.deadlineMs - clock.monotonic(), callers)
    } catch (error) {
      return pending.settle(refusal('body_too_large', call, error instanceof Error ? error.message : undefined))
    }
    const stream = this.#next++
    this.#outgoing.set(stream, { pending, reply: undefined })
    pending.withdraw = () => this.#withdraw(stream)
    this.#connection.outbox.send(FrameType.call, callFlags(call), stream, meta, body, () => {
      pending.written = true
    })
    if (this.#next > lastStream) this.#stop()
  }

  close(reason: string): void {
    this.#connection.close(reason, false)
  }

  #refusal({ call, body }: PendingCall): Reply | undefined {
    const { limits } = this.#options
    const peer = this.#peer as Hello
    if (this.#outgoing.size >= Math.min(limits.callsMax, peer.callsMax)) {
      return refusal('overloaded', call, 'the link carries as many calls as it may', 100)
    }
    const maxBytes = Math.min(limits.messageMaxBytes, peer.messageMaxBytes)
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : (body?.length ?? 0)
    if (bytes > maxBytes) return refusal('body_too_large', call, `the body is larger than ${maxBytes} bytes`)
    if (this.#connection.outbox.bufferedBytes + bytes > limits.bufferedMaxBytes) {
      return refusal('overloaded', call, 'too many bytes wait on the link', 100)
    }
    return undefined
  }

  #withdraw(stream: number): void {
    if (!this.#outgoing.has(stream)) return
    this.#connection.outbox.drop(stream)
    this.#connection.outbox.send(FrameType.cancel, 0, stream, '')
  }

  #frame(frame: Frame): void {
    if (frame.type === FrameType.refuse) return this.#refuse(frame)
    if (this.#peer === undefined) this.#greet(frame)
    else if (frame.type === FrameType.reply) this.#reply(frame)
    else if (frame.type === FrameType.data) this.#data(frame)
    else if (frame.type === FrameType.goAway) this.#stop()
    else throw new LinkProtocolError(`frame type ${frame.type} is not expected from a callee`)
  }

  #refuse(frame: Frame): void {
    this.#refused = true
    this.#connection.close(`the callee refused the link: ${frame.meta.toString('utf8', 0, 200)}`, true)
  }

  #greet(frame: Frame): void {
    if (frame.type !== FrameType.hello) throw new LinkProtocolError('the peer did not say hello')
    const theirs = parseHello(frame.meta)
    commonVersion(theirs.versions)
    const text = frame.meta.toString('utf8')
    if (!sameProof(prove(this.#options.key, 'callee', this.#ours, text), frame.body)) {
      throw new LinkProtocolError('the peer does not have the key of this system')
    }
    this.#peer = theirs
    this.#connection.established()
    this.#connection.outbox.send(FrameType.proof, 0, 0, '', prove(this.#options.key, 'caller', this.#ours, text))
    this.#events.opened()
  }

  #reply(frame: Frame): void {
    const outgoing = this.#outgoing.get(frame.stream)
    if (outgoing === undefined || outgoing.reply !== undefined) throw new LinkProtocolError('a reply to no call')
    this.#connection.outbox.drop(frame.stream)
    if ((frame.flags & Flag.end) !== 0) return this.#finish(frame.stream, outgoing, frame.flags, frame.meta, frame.body)
    const body = new InboundBody(this.#options.limits.messageMaxBytes)
    outgoing.reply = { flags: frame.flags, meta: frame.meta, body }
    body.add(frame.body)
  }

  #data(frame: Frame): void {
    const outgoing = this.#outgoing.get(frame.stream)
    if (outgoing?.reply === undefined) throw new LinkProtocolError('data for no reply')
    const { flags, meta, body } = outgoing.reply
    // Nobody waits: only the end counts.
    if (!outgoing.pending.done) body.add(frame.body)
    if ((frame.flags & Flag.end) === 0) return
    if (!body.tooLarge) return this.#finish(frame.stream, outgoing, flags, meta, body.take())
    this.#outgoing.delete(frame.stream)
    const { call } = outgoing.pending
    const { messageMaxBytes } = this.#options.limits
    outgoing.pending.settle(refusal('bad_reply', call, `the reply is larger than ${messageMaxBytes} bytes`))
  }

  #finish(stream: number, { pending }: Outgoing, flags: number, meta: Buffer, body: Buffer): void {
    this.#outgoing.delete(stream)
    if (pending.done) return
    pending.settle(decodeReply(flags, meta, body))
  }

  /** Promises the callee that no further call comes. */
  #stop(): void {
    if (this.#draining) return
    this.#draining = true
    this.#connection.outbox.send(FrameType.gone, 0, 0, '')
    this.#events.draining()
  }

  #closed(reason: string, fault: boolean): void {
    for (const { pending } of this.#outgoing.values()) {
      // A refused link has processed nothing.
      if (this.#refused) pending.written = false
      pending.lost(`the link was lost: ${reason}`)
    }
    this.#outgoing.clear()
    this.#events.closed(reason, fault)
  }
}

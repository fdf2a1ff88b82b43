import { cancelledByCaller } from '../../call/abort-reason.ts'
import type { Call, Handle, Reply } from '../../call/call.ts'
import type { Clock } from '../../std/clock.ts'
import { type CallerCodec, type DecodedCall, decodeCall, decodeInput, traceOf } from './call-codec.ts'
import type { Connection, LinkLog } from './connection.ts'
import { Flag, type Frame, FrameType, LinkProtocolError } from './frame.ts'
import type { LinkSelf } from './handshake.ts'
import { InboundBody } from './inbound-body.ts'
import { type LinkLimits, metaMaxBytes } from './limits.ts'
import { refusal } from './link-problem.ts'
import { encodeReply } from './reply-codec.ts'

export interface CalleeOptions {
  readonly handle: Handle
  readonly callers: CallerCodec
  readonly clock: Clock
  readonly limits: Required<LinkLimits>
  readonly log: LinkLog
}

/** One call of the peer, from its first frame until its reply has been handed to the socket. */
interface Running {
  readonly call: DecodedCall
  readonly arrivedMs: number
  readonly body: InboundBody
  started: boolean
  cancelled: boolean
  controller: AbortController | undefined
}

type Refusal = 'body_too_large' | 'overloaded' | 'forbidden' | 'unavailable'

const expiredDetail = "the caller's signature has run out on its way: the clocks of the two processes differ by minutes"

/** Serves the calls of one authenticated peer. */
export class Callee {
  readonly #connection: Connection
  readonly #services: ReadonlySet<string>
  readonly #options: CalleeOptions
  readonly #onIdle: () => void
  readonly #running = new Map<number, Running>()
  #lastStream = 0
  #inboundBytes = 0
  #peerStopped = false

  constructor(connection: Connection, peer: LinkSelf, options: CalleeOptions, onIdle: () => void) {
    this.#connection = connection
    this.#services = new Set(peer.services)
    this.#options = options
    this.#onIdle = onIdle
    connection.onDrain(() => this.#throttle())
  }

  get inFlight(): number {
    return this.#running.size
  }

  /** The peer has said that it sends no more, and everything has been answered. */
  get isFinished(): boolean {
    return this.#peerStopped && this.#running.size === 0
  }

  frame(frame: Frame): void {
    if (frame.type === FrameType.call) this.#open(frame)
    else if (frame.type === FrameType.data) this.#data(frame)
    else if (frame.type === FrameType.cancel) this.#cancel(frame.stream)
    else if (frame.type === FrameType.gone) this.#gone()
    else throw new LinkProtocolError(`frame type ${frame.type} is not expected from a caller`)
  }

  /** The link is gone: nobody waits for an answer. */
  abandon(): void {
    for (const running of this.#running.values()) abort(running)
    this.#running.clear()
  }

  #gone(): void {
    this.#peerStopped = true
    if (this.isFinished) this.#onIdle()
  }

  #open(frame: Frame): void {
    if (frame.stream <= this.#lastStream) throw new LinkProtocolError('a call number was used twice')
    this.#lastStream = frame.stream
    const { clock, limits } = this.#options
    const running: Running = {
      call: decodeCall(frame.meta, frame.flags),
      arrivedMs: clock.monotonic(),
      body: new InboundBody(limits.messageMaxBytes),
      started: false,
      cancelled: false,
      controller: undefined,
    }
    const full = this.#running.size >= limits.callsMax
    if (full)
      return this.#answer(
        frame.stream,
        refusal('overloaded', this.#traced(running), 'the link carries as many calls as it may', 100),
      )
    this.#running.set(frame.stream, running)
    this.#collect(frame, running)
  }

  #data(frame: Frame): void {
    if (frame.stream > this.#lastStream) throw new LinkProtocolError('data for a call that was never made')
    const running = this.#running.get(frame.stream)
    // Answered early, or cancelled: what was on its way is thrown away.
    if (running === undefined) return
    if (running.started) throw new LinkProtocolError('data after the end of a body')
    this.#collect(frame, running)
  }

  #collect(frame: Frame, running: Running): void {
    const ends = (frame.flags & Flag.end) !== 0
    const { messageMaxBytes, bufferedMaxBytes } = this.#options.limits
    this.#inboundBytes += running.body.add(frame.body)
    if (running.body.tooLarge) {
      return this.#refuse(frame.stream, running, 'body_too_large', `the body is larger than ${messageMaxBytes} bytes`)
    }
    if (this.#inboundBytes > bufferedMaxBytes) {
      return this.#refuse(frame.stream, running, 'overloaded', 'too many bytes wait on the link')
    }
    if (ends) this.#start(frame.stream, running)
  }

  #refuse(stream: number, running: Running, code: Refusal, detail: string): void {
    this.#inboundBytes += running.body.discard()
    this.#finish(stream, refusal(code, this.#traced(running), detail))
  }

  #start(stream: number, running: Running): void {
    running.started = true
    const { call } = running
    const from = call.meta[2]
    if (!this.#services.has(from)) {
      return this.#refuse(stream, running, 'forbidden', `"${from}" does not run in the process that calls`)
    }
    const caller = this.#options.callers.decode(call.meta[6])
    if (caller === undefined)
      return this.#refuse(stream, running, 'forbidden', 'the caller is not signed by this system')
    // Signed a moment ago, by the other process's clock: whoever asked has done nothing wrong, and may ask again.
    if (caller === 'expired') return this.#refuse(stream, running, 'unavailable', expiredDetail)
    const body = running.body.take()
    this.#inboundBytes += running.body.discard()
    const input = decodeInput(call, body)
    void this.#run(stream, running, this.#callOf(running, input, caller))
  }

  #callOf(running: Running, input: Call['input'], caller: Call['caller']): Call {
    const { meta } = running.call
    return {
      contract: meta[0],
      operation: meta[1],
      input,
      // Serialised once, by the service; it goes to the socket as it is.
      want: 'bytes',
      deadlineMs: running.arrivedMs + meta[3],
      // Most handlers never ask for it.
      get signal() {
        return signalOf(running)
      },
      caller,
      from: meta[2],
      trace: traceOf(running.call),
      key: meta[7] === 0 ? undefined : meta[7],
      ...(meta[9] === 0 ? {} : { cancels: meta[9] }),
    }
  }

  async #run(stream: number, running: Running, call: Call): Promise<void> {
    let reply: Reply
    try {
      reply = await this.#options.handle(call)
    } catch (error) {
      reply = this.#unexpected(call, error)
    }
    if (this.#running.get(stream) === running) this.#finish(stream, reply)
  }

  #unexpected(call: Call, error: unknown): Reply {
    const { contract, operation, trace } = call
    this.#options.log.warn({ err: error, contract, operation, traceId: trace.traceId }, 'a call handler threw')
    return { ok: false, problem: refusalOfInternal(call) }
  }

  #finish(stream: number, reply: Reply): void {
    this.#answer(stream, reply)
    this.#running.delete(stream)
    if (this.isFinished) this.#onIdle()
  }

  #answer(stream: number, reply: Reply): void {
    const { flags, meta, body } = this.#encode(stream, reply)
    this.#connection.outbox.send(FrameType.reply, flags, stream, meta, body)
    this.#throttle()
  }

  #encode(stream: number, reply: Reply): ReturnType<typeof encodeReply> {
    const { messageMaxBytes, bufferedMaxBytes } = this.#options.limits
    const traced = this.#traced(this.#running.get(stream))
    try {
      const encoded = encodeReply(reply)
      const bytes = sizeOf(encoded.body)
      if (Buffer.byteLength(encoded.meta) > metaMaxBytes) throw new RangeError('the headers of the reply are too large')
      if (bytes > messageMaxBytes) {
        return encodeReply(refusal('bad_reply', traced, `the reply is larger than ${messageMaxBytes} bytes`))
      }
      if (bytes + this.#connection.outbox.bufferedBytes <= bufferedMaxBytes) return encoded
      return encodeReply(refusal('outcome_unknown', traced, 'too many replies wait on the link'))
    } catch (error) {
      this.#options.log.warn({ err: error }, 'a reply could not be serialised')
      return encodeReply(refusal('internal', traced, 'the reply could not be serialised'))
    }
  }

  /** A peer that does not read its replies is not read from. */
  #throttle(): void {
    this.#connection.pause(this.#connection.outbox.bufferedBytes > this.#options.limits.bufferedMaxBytes / 4)
  }

  // The caller has its answer already. The call keeps its place until the handler is done, so that calls that are made
  // and cancelled quickly cannot pile up work here.
  #cancel(stream: number): void {
    const running = this.#running.get(stream)
    if (running === undefined) return
    abort(running)
    if (running.started) return
    this.#inboundBytes += running.body.discard()
    this.#finish(stream, refusal('cancelled', this.#traced(running), 'the caller went away'))
  }

  #traced(running: Running | undefined): Pick<Call, 'trace'> {
    return { trace: running === undefined ? nobody : traceOf(running.call) }
  }
}

const nobody = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), sampled: false }

function refusalOfInternal(call: Call): Extract<Reply, { ok: false }>['problem'] {
  const reply = refusal('internal', call, 'the service failed') as Extract<Reply, { ok: false }>
  return reply.problem
}

function sizeOf(body: Uint8Array | string | undefined): number {
  if (body === undefined) return 0
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length
}

function abort(running: Running): void {
  running.cancelled = true
  running.controller?.abort(cancelledByCaller())
}

function signalOf(running: Running): AbortSignal {
  if (running.controller === undefined) {
    running.controller = new AbortController()
    if (running.cancelled) running.controller.abort(cancelledByCaller())
  }
  return running.controller.signal
}

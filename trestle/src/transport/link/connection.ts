import type { Socket } from 'node:net'
import type { Clock, Timer } from '../../std/clock.ts'
import { type Frame, FrameType, LinkProtocolError } from './frame.ts'
import { FrameDecoder } from './frame-decoder.ts'
import { chunkMaxBytes, handshakeMaxBytes, type LinkLimits, metaMaxBytes } from './limits.ts'
import { Outbox } from './outbox.ts'

/** Where a link says why it closed. */
export interface LinkLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface ConnectionEvents {
  frame(frame: Frame): void
  /** Once. `fault`: the peer broke the protocol, died or went silent; otherwise the end was orderly. */
  closed(reason: string, fault: boolean): void
}

/** One socket with frames on it, either end. Whatever happens on it ends in `closed`, never in an exception. */
export class Connection {
  readonly outbox: Outbox
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #limits: Required<LinkLimits>
  readonly #events: ConnectionEvents
  readonly #decoder = new FrameDecoder(handshakeMaxBytes)
  #timer: Timer
  #closed = false
  #ending = false
  #heard = true
  #missed = 0
  #lastBytesOut = 0

  constructor(socket: Socket, clock: Clock, limits: Required<LinkLimits>, events: ConnectionEvents) {
    this.#socket = socket
    this.#clock = clock
    this.#limits = limits
    this.#events = events
    this.outbox = new Outbox(socket)
    this.#timer = clock.setTimeout(() => this.close('silence during the handshake', true), limits.handshakeTimeoutMs)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error) => this.close(error.message, true))
    socket.on('end', () => this.close('the peer closed the link', false))
    socket.on('close', () => this.close('the socket closed', true))
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** The peer has proved itself: larger frames are allowed, and its heart is listened to. */
  established(): void {
    this.#decoder.allow(metaMaxBytes + chunkMaxBytes + 64)
    this.#timer.cancel()
    this.#beat()
  }

  /** Stops or resumes reading: back-pressure on the peer. */
  pause(paused: boolean): void {
    if (this.#closed || this.#socket.isPaused() === paused) return
    if (paused) this.#socket.pause()
    else this.#socket.resume()
  }

  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener)
  }

  /** Hears nothing more, and closes when what has been queued is written. A peer that reads nothing is cut in time. */
  end(reason: string, fault: boolean): void {
    if (this.#closed || this.#ending) return
    this.#ending = true
    this.outbox.finish(() => this.#socket.end(() => this.close(reason, fault)))
  }

  /** Closes now. */
  close(reason: string, fault: boolean): void {
    if (this.#closed) return
    this.#closed = true
    this.#timer.cancel()
    this.outbox.close()
    this.#socket.destroy()
    this.#events.closed(reason, fault)
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return
    this.#heard = true
    try {
      this.#decoder.push(chunk, this.#onFrame)
    } catch (error) {
      this.close(error instanceof LinkProtocolError ? error.message : `failed on a frame: ${String(error)}`, true)
    }
  }

  readonly #onFrame = (frame: Frame): void => {
    if (this.#closed || this.#ending) return
    if (frame.type === FrameType.ping) this.outbox.send(FrameType.pong, 0, 0, '')
    else if (frame.type !== FrameType.pong) this.#events.frame(frame)
  }

  // Ticks are counted, not milliseconds: a process that was itself stopped must not blame its peer.
  #beat(): void {
    this.#timer = this.#clock.setTimeout(() => {
      if (this.#closed) return
      if (this.#heard || this.#wroteOn()) this.#missed = 0
      else this.#missed += 1
      if (this.#missed >= this.#limits.heartbeatsMissedMax) return this.close('the peer does not answer', true)
      if (!this.#heard || this.#missed > 0) this.outbox.send(FrameType.ping, 0, 0, '')
      this.#heard = false
      this.#beat()
    }, this.#limits.heartbeatMs)
  }

  /** Whether the peer took more of what waits for it: it is slow then, not dead. */
  #wroteOn(): boolean {
    const out = this.#socket.bytesWritten - this.#socket.writableLength
    const more = this.#socket.writableLength > 0 && out > this.#lastBytesOut
    this.#lastBytesOut = out
    return more
  }
}

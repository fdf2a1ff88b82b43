import type { Socket } from 'node:net'
import { codeOfAbort } from '../../call/abort-reason.ts'
import type { Call, Reply, Transport } from '../../call/call.ts'
import type { Address } from '../../call/instance.ts'
import { backoffMs } from '../../std/backoff.ts'
import type { Clock } from '../../std/clock.ts'
import { type CallerCodec, encodeInput } from './call-codec.ts'
import { CallerLink } from './caller-link.ts'
import type { LinkLog } from './connection.ts'
import type { LinkSelf } from './handshake.ts'
import { defaultLinkLimits, type LinkLimits } from './limits.ts'
import { refusal } from './link-problem.ts'
import { PendingCall, PendingCalls } from './pending.ts'
import { describeAddress, dial } from './socket.ts'

export interface ConnectLinkOptions {
  readonly address: Address
  /** The system's key, 32 bytes: both ends prove that they have it. */
  readonly key: Uint8Array
  readonly self: LinkSelf
  readonly callers: CallerCodec
  readonly clock: Clock
  readonly log: LinkLog
  readonly limits?: LinkLimits
  /** 0 <= random() < 1 */
  readonly random?: () => number
}

/**
 * `idle`: connects with the next call. `draining`: the callee wants calls to go elsewhere.
 * `down`: it could not be reached a moment ago, so calls are answered `unavailable` at once.
 */
export type LinkState = 'idle' | 'connecting' | 'open' | 'draining' | 'down' | 'closed'

export interface LinkTransport extends Transport {
  readonly state: LinkState
  /** Calls that wait for a reply. */
  readonly inFlight: number
}

/**
 * Calls another Trestle process over one connection, made with the first call and made anew when it was lost.
 * Calls that were not written when it was lost are `unavailable`, the others `outcome_unknown`.
 * @example const orders = connectLink({ address, key, self, callers, clock, log })
 */
export function connectLink(options: ConnectLinkOptions): LinkTransport {
  return new LinkClient(options)
}

class LinkClient implements LinkTransport {
  readonly #options: ConnectLinkOptions
  readonly #limits: Required<LinkLimits>
  readonly #pending: PendingCalls
  readonly #links = new Set<CallerLink>()
  #state: LinkState = 'idle'
  #current: CallerLink | undefined
  /** Calls that wait until the link is open. */
  #queue: PendingCall[] = []
  #queuedBytes = 0
  #failures = 0
  #retryAtMs = 0
  #cancelDial: (() => void) | undefined

  constructor(options: ConnectLinkOptions) {
    this.#options = options
    this.#limits = { ...defaultLinkLimits, ...options.limits }
    this.#pending = new PendingCalls(options.clock)
  }

  get state(): LinkState {
    if (this.#state === 'down' && this.#options.clock.monotonic() >= this.#retryAtMs) return 'idle'
    return this.#state
  }

  get inFlight(): number {
    return this.#pending.size
  }

  send(call: Call): Promise<Reply> {
    const refused = this.#refusal(call)
    if (refused !== undefined) return Promise.resolve(refused)
    let body: PendingCall['body']
    try {
      body = encodeInput(call.input)
    } catch {
      return Promise.resolve(refusal('invalid_input', call, 'the input is no JSON value'))
    }
    return new Promise((resolve) => {
      const pending = new PendingCall(call, body, (settled, reply) => {
        this.#pending.remove(settled)
        resolve(reply)
      })
      this.#pending.add(pending)
      this.#dispatch(pending)
    })
  }

  close(): Promise<void> {
    this.#state = 'closed'
    this.#cancelDial?.()
    for (const link of this.#links) link.close('the caller closed the link')
    this.#pending.lose('the caller closed the link')
    this.#queue = []
    return Promise.resolve()
  }

  #refusal(call: Call): Reply | undefined {
    if (this.#state === 'closed') return refusal('unavailable', call, undefined, 1_000)
    if (call.signal.aborted) return refusal(codeOfAbort(call.signal.reason), call)
    if (call.deadlineMs <= this.#options.clock.monotonic()) return refusal('deadline_exceeded', call)
    if (this.state === 'down') return refusal('unavailable', call, 'the instance cannot be reached', 1_000)
    return undefined
  }

  #dispatch(pending: PendingCall): void {
    if (this.#current !== undefined && this.#state === 'open') return this.#current.send(pending)
    const bytes = pending.body?.length ?? 0
    if (this.#queue.length >= this.#limits.callsMax || this.#queuedBytes + bytes > this.#limits.bufferedMaxBytes) {
      return pending.settle(refusal('overloaded', pending.call, 'too many calls wait for the link', 100))
    }
    this.#queue.push(pending)
    this.#queuedBytes += bytes
    if (this.#state !== 'connecting') this.#connect()
  }

  #connect(): void {
    this.#state = 'connecting'
    const { clock, address } = this.#options
    const socket = dial(address)
    const failed = (reason: string): void => {
      this.#cancelDial = undefined
      timer.cancel()
      socket
        .removeAllListeners()
        .on('error', () => {})
        .destroy()
      this.#lost(reason, false)
    }
    const timer = clock.setTimeout(() => failed('it does not accept the connection'), this.#limits.connectTimeoutMs)
    this.#cancelDial = () => failed('the caller closed the link')
    socket.once('error', (error) => failed(error.message))
    socket.once('connect', () => {
      this.#cancelDial = undefined
      timer.cancel()
      socket.removeAllListeners('error')
      this.#greet(socket)
    })
  }

  #greet(socket: Socket): void {
    const link: CallerLink = new CallerLink(
      socket,
      { ...this.#options, limits: this.#limits },
      {
        opened: () => this.#opened(link),
        draining: () => this.#draining(link),
        closed: (reason, fault) => this.#linkClosed(link, reason, fault),
      },
    )
    this.#links.add(link)
    this.#current = link
  }

  #opened(link: CallerLink): void {
    this.#failures = 0
    this.#state = 'open'
    const queue = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    for (const pending of queue) if (!pending.done) link.send(pending)
  }

  #draining(link: CallerLink): void {
    if (link !== this.#current || this.#state === 'closed') return
    this.#current = undefined
    this.#state = 'draining'
  }

  #linkClosed(link: CallerLink, reason: string, fault: boolean): void {
    this.#links.delete(link)
    const wasCurrent = link === this.#current
    if (wasCurrent) this.#current = undefined
    else if (this.#state === 'draining') this.#state = 'idle'
    if (this.#state === 'closed' || !wasCurrent) return
    this.#lost(reason, fault)
  }

  /** The link is gone, or never came about: those who waited for it are told, and it is tried again later. */
  #lost(reason: string, fault: boolean): void {
    const { log, address, clock, random } = this.#options
    const wasOpen = this.#state === 'open'
    if (this.#state === 'closed') return
    // A callee that has just been restarted is there again: the next call finds out.
    if (wasOpen) this.#state = 'idle'
    else {
      this.#state = 'down'
      const wait = { baseMs: 50, maxMs: this.#limits.reconnectMaxMs, ...(random === undefined ? {} : { random }) }
      this.#retryAtMs = clock.monotonic() + backoffMs(this.#failures++, wait)
    }
    const fields = { address: describeAddress(address), reason, failures: this.#failures }
    const inPeace = wasOpen && !fault
    if (!inPeace && this.#failures <= 1) log.warn(fields, wasOpen ? 'a link was lost' : 'a link could not be opened')
    const queue = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    for (const pending of queue) pending.lost(`the instance cannot be reached: ${reason}`)
  }
}

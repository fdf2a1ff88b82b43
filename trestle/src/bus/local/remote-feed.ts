import { awaitReply } from '../../call/await-reply.ts'
import { CallError } from '../../call/call-error.ts'
import type { Handle } from '../../call/call.ts'
import type { Clock } from '../../std/clock.ts'
import { newTrace } from '../../std/trace-context.ts'
import type { EventPosition } from '../../store/outbox/event-envelope.ts'
import type { FeedBatch, FeedRequest } from '../../store/outbox/event-feed.ts'
import { StoreError } from '../../store/store-error.ts'
import { FeedFormError, type FeedQuery, readBatch, readPosition } from './feed-codec.ts'
import { feedContractId, type FeedOperation } from './feed-contract.ts'
import type { ReadableFeed } from './readable-feed.ts'

export interface RemoteFeedOptions {
  readonly stream: string
  /** The service that reads. */
  readonly service: string
  readonly send: Handle
  readonly clock: Clock
}

/** How long an answer may take beyond the time that the call may wait for events, milliseconds. */
const graceMs = 10_000

/** The feed of a producer that runs in another process. */
export class RemoteFeed implements ReadableFeed {
  readonly #options: RemoteFeedOptions

  constructor(options: RemoteFeedOptions) {
    this.#options = options
  }

  async read({ after, types, max = 500, waitMs = 0, reader = '', signal }: FeedRequest): Promise<FeedBatch> {
    const query: FeedQuery = { after: after ?? null, types: types ?? null, max, waitMs, reader }
    return readBatch(this.#options.stream, await this.#ask('read', query, waitMs, signal))
  }

  async head(): Promise<EventPosition> {
    return readPosition(await this.#ask('head', {}, 0))
  }

  async positionAt(timeMs: number): Promise<EventPosition> {
    return readPosition(await this.#ask('positionAt', { timeMs }, 0))
  }

  async #ask(operation: FeedOperation, input: object, waitMs: number, signal?: AbortSignal): Promise<unknown> {
    const { stream, service, send, clock } = this.#options
    const call = {
      contract: feedContractId(stream),
      operation,
      input: { kind: 'value', value: input },
      want: 'bytes',
      deadlineMs: clock.monotonic() + waitMs + graceMs,
      caller: { kind: 'service', id: service, scopes: [] },
      from: service,
      trace: newTrace(),
      key: undefined,
    } as const
    const reply = await awaitReply(send, call, clock, [signal])
    if (reply.ok) return valueOf(reply.body)
    if (reply.problem.code === 'gone') throw new StoreError('feed_position_lost', reply.problem.detail ?? 'gone')
    throw new CallError(`${call.contract}.${operation}`, reply.problem)
  }
}

function valueOf(body: { readonly kind: string; readonly bytes?: Uint8Array; readonly value?: unknown }): unknown {
  if (body.bytes === undefined) return body.value
  try {
    return JSON.parse(Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength).toString('utf8'))
  } catch {
    throw new FeedFormError('malformed JSON')
  }
}

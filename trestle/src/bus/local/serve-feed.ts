import type { Call, Handle, Reply } from '../../call/call.ts'
import { platformProblem } from '../../call/problem.ts'
import type { EventFeed } from '../../store/outbox/event-feed.ts'
import { fitting } from './batch-size.ts'
import { FeedFormError, readQuery, writeBatch } from './feed-codec.ts'
import { feedContractId } from './feed-contract.ts'

/** A feed that other processes may read. */
export interface ServedFeed {
  readonly contract: string
  readonly handle: Handle
  /** Who waits for events is answered at once, and nobody may wait any more: the process is about to go. */
  endWaits(): void
}

/**
 * Answers the calls by which other processes read a feed: `read` waits for events as long as it is asked to.
 * @param mayRead whether a service has said that it subscribes to this contract
 */
export function serveFeed(
  stream: string,
  feed: EventFeed,
  mayRead: (from: string, contract: string) => boolean,
): ServedFeed {
  const contract = feedContractId(stream)
  const ending = new AbortController()
  return {
    contract,
    endWaits: () => ending.abort(),
    async handle(call) {
      if (!mayRead(call.from, contract)) {
        const detail = `${call.from} does not declare that it subscribes to ${stream}`
        return failed(call, 'undeclared_use', detail)
      }
      try {
        return await answer(call, stream, feed, ending.signal)
      } catch (error) {
        return refusal(call, error)
      }
    },
  }
}

async function answer(call: Call, stream: string, feed: EventFeed, ending: AbortSignal): Promise<Reply> {
  const input: unknown = call.input.kind === 'value' ? call.input.value : undefined
  switch (call.operation) {
    case 'read': {
      const { after, types, max, waitMs, reader } = readQuery(input)
      const signal = AbortSignal.any([call.signal, ending])
      const wait = ending.aborted ? 0 : waitMs
      const wanted = types === null ? {} : { types }
      const batch = await feed.read({ stream, after: after ?? undefined, ...wanted, max, waitMs: wait, signal, reader })
      return ok(writeBatch(fitting(batch)))
    }
    case 'head':
      return ok(await feed.head())
    case 'positionAt': {
      const { timeMs } = (input ?? {}) as { readonly timeMs?: unknown }
      if (typeof timeMs !== 'number' || !Number.isFinite(timeMs)) throw new FeedFormError('timeMs must be a number')
      return ok(await feed.positionAt(timeMs))
    }
    default:
      return failed(call, 'not_implemented')
  }
}

function ok(value: object): Reply {
  const bytes = Buffer.from(JSON.stringify(value))
  return { ok: true, status: 200, body: { kind: 'bytes', bytes, contentType: 'application/json' } }
}

function refusal(call: Call, error: unknown): Reply {
  if (error instanceof FeedFormError) return failed(call, 'invalid_input', error.message)
  const code = (error as { readonly code?: unknown } | null)?.code
  // What is not kept any more: the reader must say where to go on.
  if (code === 'feed_position_lost') return failed(call, 'gone', (error as Error).message)
  return failed(call, code === 'overloaded' ? 'overloaded' : 'unavailable')
}

function failed(call: Call, code: Parameters<typeof platformProblem>[0], detail?: string): Reply {
  const place = { instance: `${call.contract}.${call.operation}`, traceId: call.trace.traceId }
  return { ok: false, problem: platformProblem(code, detail === undefined ? place : { ...place, detail }) }
}

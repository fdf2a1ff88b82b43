import type { HttpHandler, HttpResponse, OnRefusal } from '../../http/message.ts'
import type { Clock, Timer } from '../../std/clock.ts'
import { createGateway, type Gateway, type GatewayDeps } from '../create-gateway.ts'
import { documentInfo, type GatewaySpec } from '../gateway.ts'
import { type Kept, keptFrom, type KeptState } from './kept-state.ts'

/** A gateway whose description can be replaced by another while it serves. */
export interface ReplaceableGateway {
  readonly handler: HttpHandler
  readonly onRefusal: OnRefusal
  /** The one that takes new requests. */
  current(): Gateway
  /**
   * Opens a gateway of the new description whole, then lets it take every request that comes from then on. Those that run
   * end in the old one, which is closed after the last of them. When the new one cannot be opened the old one stays.
   * @throws what `createGateway` throws
   */
  replace(spec: GatewaySpec): Promise<void>
  /** Closes the current one and those that have not been closed yet; requests must have ended. */
  close(): Promise<void>
}

export interface ReplaceableGatewayDeps extends Omit<GatewayDeps, 'info' | 'kept'> {
  /** Title of the document where the description has none. */
  readonly systemName: string
  /** Requests that run longer than this in an old gateway do not keep it open; default 60,000. */
  readonly drainTimeoutMs?: number
}

/** Opens the first gateway. @throws what `createGateway` throws */
export async function createReplaceableGateway(
  spec: GatewaySpec,
  deps: ReplaceableGatewayDeps,
): Promise<ReplaceableGateway> {
  const { clock, log, systemName, drainTimeoutMs = 60_000 } = deps
  const retiring = new Set<Version>()
  const open = async (description: GatewaySpec, before: KeptState | undefined) => {
    const kept = keptFrom(before)
    const gateway = await createGateway(description, { ...deps, info: documentInfo(description, systemName), kept })
    return new Version(gateway, kept)
  }
  let current = await open(spec, undefined)
  // One after the other: what is kept is handed on from each to the next.
  let replacing: Promise<unknown> = Promise.resolve()

  const retire = (version: Version) => {
    retiring.add(version)
    void version
      .ended(clock, drainTimeoutMs)
      .then(() => version.close())
      .catch((error: unknown) => log.error({ err: error }, 'a gateway that was replaced could not be closed'))
      .finally(() => retiring.delete(version))
  }

  const swap = async (description: GatewaySpec) => {
    const version = await open(description, current.kept.state())
    const old = current
    current = version
    retire(old)
  }

  return {
    handler: (request) => current.handle(request),
    onRefusal: (refused) => current.gateway.onRefusal(refused),
    current: () => current.gateway,
    replace(description) {
      const done = replacing.then(() => swap(description))
      replacing = done.catch(() => {})
      return done
    },
    async close() {
      await replacing
      await Promise.all([current, ...retiring].map((version) => version.close()))
    },
  }
}

/** A gateway and how many requests run in it. */
class Version {
  readonly gateway: Gateway
  readonly kept: Kept
  readonly handle: HttpHandler
  #running = 0
  #onEnd: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(gateway: Gateway, kept: Kept) {
    this.gateway = gateway
    this.kept = kept
    const { handler } = gateway
    this.handle = async (request) => {
      this.#running += 1
      let response: HttpResponse
      try {
        response = await handler(request)
      } catch (error) {
        this.#end()
        throw error
      }
      const { body } = response
      if (!isStream(body)) {
        this.#end()
        return response
      }
      return { ...response, body: watched(body, () => this.#end()) }
    }
  }

  /** Resolves when nothing runs here any more, or after `timeoutMs`. */
  async ended(clock: Clock, timeoutMs: number): Promise<void> {
    if (this.#running === 0) return
    let timer: Timer | undefined
    await new Promise<void>((resolve) => {
      this.#onEnd = resolve
      timer = clock.setTimeout(resolve, timeoutMs)
    })
    timer?.cancel()
  }

  close(): Promise<void> {
    this.#closing ??= this.gateway.close()
    return this.#closing
  }

  #end(): void {
    this.#running -= 1
    if (this.#running === 0) this.#onEnd?.()
  }
}

function isStream(body: HttpResponse['body']): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && Symbol.asyncIterator in body
}

/** The same chunks; `ended` is called once, when the last one was taken, it failed, or nobody wants the rest. */
function watched(body: AsyncIterable<Uint8Array>, ended: () => void): AsyncIterable<Uint8Array> {
  let open = true
  const end = () => {
    if (open) ended()
    open = false
  }
  return {
    [Symbol.asyncIterator]() {
      const chunks = body[Symbol.asyncIterator]()
      return {
        async next() {
          try {
            const next = await chunks.next()
            if (next.done === true) end()
            return next
          } catch (error) {
            end()
            throw error
          }
        },
        async return() {
          try {
            await chunks.return?.()
          } finally {
            end()
          }
          return { done: true, value: undefined }
        },
      }
    },
  }
}

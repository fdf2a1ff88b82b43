import type { Call, Handle, Reply } from '../../call/call.ts'
import { platformProblem } from '../../call/problem.ts'

/** Finds where a call goes. Contracts of this process are looked up first, then external ones, then the other processes. */
export interface Router {
  readonly send: Handle
  /** Calls that came from outside and are for services of this process only. */
  readonly serve: Handle
  /** A service of this process is ready: its contracts are answered here from now on. */
  open(contracts: readonly string[], handle: Handle): void
  close(contracts: readonly string[]): void
}

export interface RouterDeps {
  /** Contract id -> how to reach a service that runs elsewhere and speaks HTTP. */
  readonly externals: ReadonlyMap<string, Handle>
  /** To the other processes; `undefined` when there are none. */
  readonly remote: Handle | undefined
  /** Ids of all contracts of the system. */
  readonly knows: (contract: string) => boolean
  /** Not `direct`: also calls within this process go through `remote`. Default `direct`. */
  readonly localCalls?: 'direct' | 'link' | 'link-twice'
}

/** When to ask again for a service that is down, milliseconds. */
const retryAfterMs = 1_000

export function createRouter({ externals, remote, knows, localCalls = 'direct' }: RouterDeps): Router {
  const local = new Map<string, Handle>()
  const missing = async (call: Call): Promise<Reply> => ({
    ok: false,
    problem: knows(call.contract)
      ? platformProblem('unavailable', { detail: `${call.contract} is not running`, retryAfterMs })
      : platformProblem('not_found', { detail: `this system has no contract ${call.contract}` }),
  })
  const elsewhere = remote ?? missing
  return {
    send(call) {
      const here = localCalls === 'direct' ? local.get(call.contract) : undefined
      return (here ?? externals.get(call.contract) ?? elsewhere)(call)
    },
    serve: (call) => (local.get(call.contract) ?? missing)(call),
    open(contracts, handle) {
      for (const contract of contracts) local.set(contract, handle)
    },
    close(contracts) {
      for (const contract of contracts) local.delete(contract)
    },
  }
}

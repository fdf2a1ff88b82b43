import type { Caller } from '../call/caller.ts'
import type { Client } from '../call/client.ts'
import type { Operator, SystemStatus } from '../call/operator.ts'
import type { AnyContract } from '../contract/contract.ts'

/** A system under test. Dispose of it: `await using store = await runner.start(...)`. */
export interface TestSystem extends AsyncDisposable {
  /** Which runner started it. */
  readonly runner: 'local' | 'wire' | 'split'
  /** Of the gateway, without a slash at the end. */
  readonly url: string
  readonly dataDir: string
  /** A request to the gateway. A body that is not a string or bytes is sent as JSON. */
  fetch(path: string, init?: TestRequest): Promise<Response>
  /** A typed client that does not go through the gateway. Default caller: an operator. */
  client<C extends AnyContract>(contract: C, caller?: Caller): Client<C>
  ps(): Promise<SystemStatus>
  /** What an operator may do. `not_separable` in one process. */
  readonly operator: Operator
  /** SIGKILL for one process of a service; resolves when it has gone. Only where it has a process of its own. */
  kill(service: string): Promise<void>
  scale(service: string, replicas: number): Promise<void>
  deploy(service: string): Promise<void>
  stop(): Promise<void>
}

/** A request of a test. A `body` is sent as JSON; the method is then POST unless it is given. */
export interface TestRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly signal?: AbortSignal
}

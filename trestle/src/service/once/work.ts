import type { Effects } from '../../call/call-context.ts'
import type { Call, Reply } from '../../call/call.ts'
import type { BoundOperation } from '../bound-operation.ts'
import { handlerArgs } from '../handler-args.ts'
import { writeOutput } from '../write-output.ts'

/** One request on its way through its handler. */
export interface Request {
  readonly call: Call
  /** As the handler reads it. */
  readonly input: unknown
  /** Aborts when nobody waits for the reply any more. */
  readonly signal: AbortSignal
  /** `undefined`: the operation only reads. */
  readonly effects: Effects | undefined
}

/** Does what a request asks for. Rejects with whatever its handler threw. */
export type Perform = (request: Request) => Promise<Reply>

/** Runs the handler and writes what it returns. */
export function plainWork(bound: BoundOperation): Perform {
  return async ({ call, input, signal, effects }) =>
    writeOutput(bound, call, await bound.handler(handlerArgs(bound, call, input, signal, effects)))
}

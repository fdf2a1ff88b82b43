import type { AnyContract } from '../contract/contract.ts'
import type { AnyOperation } from '../contract/operation.ts'
import type { Clock } from '../std/clock.ts'
import { childSpan } from '../std/trace-context.ts'
import { insideTransaction } from '../std/transaction-scope.ts'
import { awaitReply } from './await-reply.ts'
import type { CallContext } from './call-context.ts'
import { CallError } from './call-error.ts'
import type { Handle, Reply } from './call.ts'
import type { CallOptions, Client } from './client.ts'
import { type Problem, platformProblem } from './problem.ts'
import { readBody } from './read-body.ts'

export interface ClientDeps {
  /** Who calls: the service's name, `gateway` or `operator`. The callee checks it. */
  readonly from: string
  readonly send: Handle
  readonly clock: Clock
}

/** Everything about one operation that is the same for every call of it. */
interface Outgoing extends ClientDeps {
  readonly contractId: string
  readonly operation: AnyOperation & { readonly name: string }
  /** `inventory.reserve` */
  readonly label: string
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: Problem }

/**
 * Makes the typed client of a contract: a function from the request at hand to `Client`. What is the same for every
 * request is built once, here; per request one small object is made, per call one function.
 * @example const ordersFor = createClient(orders, { from: 'carts', send, clock })
 *   const order = await ordersFor({ caller, trace }).find({ id }, { timeoutMs: 500 })
 */
export function createClient<C extends AnyContract>(
  contract: C,
  deps: ClientDeps,
): (context: CallContext) => Client<C> {
  class BoundClient {
    readonly #context: CallContext
    constructor(context: CallContext) {
      this.#context = context
    }
    static contextOf(client: BoundClient): CallContext {
      return client.#context
    }
  }
  for (const [name, operation] of Object.entries<Outgoing['operation']>(contract.operations)) {
    const label = `${contract.name}.${name}`
    const outgoing: Outgoing = { ...deps, contractId: contract.id, operation, label }
    Object.defineProperty(BoundClient.prototype, name, {
      enumerable: true,
      get(this: BoundClient) {
        return bind(outgoing, BoundClient.contextOf(this))
      },
    })
  }
  return (context) => new BoundClient(context) as unknown as Client<C>
}

/** One operation for one request. The types are `ClientOperation`'s. */
function bind(outgoing: Outgoing, context: CallContext) {
  const operation = async (input: unknown, options?: CallOptions): Promise<unknown> => {
    const outcome = await ask(outgoing, context, input, options)
    if (outcome.ok) return outcome.value
    throw new CallError(outgoing.label, outcome.problem)
  }
  operation.try = async (input: unknown, options?: CallOptions): Promise<unknown> => {
    const outcome = await ask(outgoing, context, input, options)
    return outcome.ok ? outcome : { ok: false, error: new CallError(outgoing.label, outcome.problem) }
  }
  return operation
}

function ask(outgoing: Outgoing, context: CallContext, input: unknown, options?: CallOptions): Promise<Outcome> {
  const { operation, clock } = outgoing
  const timeoutMs = checkedTimeout(outgoing.label, options?.timeoutMs) ?? operation.timeoutMs
  if (insideTransaction()) return Promise.resolve(refusedInTransaction(outgoing, context))
  const call = {
    contract: outgoing.contractId,
    operation: operation.name,
    input: { kind: 'value', value: input },
    want: 'value',
    deadlineMs: Math.min(clock.monotonic() + timeoutMs, context.deadlineMs ?? Number.POSITIVE_INFINITY),
    caller: context.caller,
    from: outgoing.from,
    trace: childSpan(context.trace),
    key: options?.key ?? context.once?.keyFor(outgoing.label),
    ...(context.once?.cancels === undefined ? {} : { cancels: context.once.cancels }),
  } as const
  if (context.effects !== undefined) context.effects.possible = true
  return awaitReply(outgoing.send, call, clock, [context.signal, options?.signal]).then((reply) =>
    outcomeOf(outgoing, reply, call.trace.traceId),
  )
}

function outcomeOf(outgoing: Outgoing, reply: Reply, traceId: string): Outcome {
  if (!reply.ok) {
    return reply.problem.traceId === undefined ? { ok: false, problem: { ...reply.problem, traceId } } : reply
  }
  const { operation } = outgoing
  const { body, status } = reply
  const read = body.kind === 'value' ? ({ ok: true, value: body.value } as const) : readBody(operation, body, status)
  if (read.ok) return operation.responses === undefined ? read : { ok: true, value: { status, body: read.value } }
  const [fault] = read.faults
  const detail = `${outgoing.label} answered with something that its contract does not allow at '${fault?.pointer}'`
  return { ok: false, problem: platformProblem('bad_reply', { detail, traceId }) }
}

function refusedInTransaction(outgoing: Outgoing, context: CallContext): Outcome {
  const detail = `${outgoing.label} was called inside a transaction of ${outgoing.from}: call before or after it`
  return {
    ok: false,
    problem: platformProblem('call_in_transaction', { detail, traceId: context.trace.traceId }),
  }
}

function checkedTimeout(label: string, timeoutMs: number | undefined): number | undefined {
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= 3_600_000)) {
    throw new RangeError(`${label}: timeoutMs must be more than 0 and at most 3,600,000, not ${timeoutMs}`)
  }
  return timeoutMs
}

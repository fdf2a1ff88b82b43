import { anonymous } from '../../trestle/src/call/caller.ts'
import { createClient } from '../../trestle/src/call/create-client.ts'
import { createServiceHandle, implement } from '../../trestle/src/service/index.ts'
import { systemClock } from '../../trestle/src/std/clock.ts'
import { newTrace } from '../../trestle/src/std/trace-context.ts'
import { localTransport } from '../../trestle/src/transport/local/index.ts'
import { Find, Order, order, orders } from './contract.ts'

export interface Contender {
  readonly name: string
  /** Asks once, as one of the calls of a request. */
  ask(id: string): Promise<{ readonly id: string }>
}

/** An async function: what nobody can be below. Nothing is checked, nothing is copied. */
const plain: Contender = {
  name: 'plain async function',
  ask: async (id) => ({ ...order, id }),
}

/** What a careful team would write without a platform: input and output parsed by Zod, which copies too. */
const zodded: Contender = {
  name: 'plain function, Zod in and out',
  ask: async (id) => Order.parse({ ...order, id: Find.parse({ id }).id }),
}

const nothingIsCalled = () => Promise.reject(new Error('the handler calls nothing'))

/** The whole way: client, deadline, signal, trace, origin, access, limit, input, handler, output. */
function localCall(): Contender {
  const definition = implement(orders).service({
    handlers: { find: async ({ input }) => ({ ...order, id: input.id }) },
  })
  const log = { info() {}, warn() {}, error() {} }
  const service = createServiceHandle(definition, {
    send: nothingIsCalled,
    mayCall: () => true,
    clock: systemClock,
    newId: () => '',
    random: Math.random,
    log,
  })
  const transport = localTransport(service.handle)
  const send = transport.send.bind(transport)
  const clientFor = createClient(orders, { from: 'carts', send, clock: systemClock })
  const request = { caller: anonymous, trace: newTrace(), signal: new AbortController().signal, deadlineMs: Infinity }
  return { name: 'Trestle, local call', ask: (id) => clientFor(request).find({ id }) }
}

export const contenders: readonly Contender[] = [plain, zodded, localCall()]

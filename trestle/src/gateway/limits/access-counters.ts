import type { Handle } from '../../call/call.ts'
import type { CallContext } from '../../call/call-context.ts'
import { createClient } from '../../call/create-client.ts'
import type { Clock } from '../../std/clock.ts'
import { newTrace } from '../../std/trace-context.ts'
import { access } from '../access/contract.ts'
import { gatewayCaller } from '../access/gateway-caller.ts'
import type { Demand, SharedCounters } from './counters.ts'

/** Takes nothing, holds nothing: asks whether the service answers. */
const pingStep = { key: 'ping', cost: 0, emissionMs: 1, burstMs: 1 }

export interface AccessCountersDeps {
  readonly send: Handle
  readonly clock: Clock
  readonly timeoutMs: number
}

/**
 * Counts in the gateway's database, through the service that has it, by the database's clock. The limits of a request are
 * asked at the same time; when one refuses, what the others took is given back.
 */
export function accessCounters({ send, clock, timeoutMs }: AccessCountersDeps): SharedCounters {
  const client = createClient(access, { from: 'gateway', send, clock })
  const context = (): CallContext => ({
    caller: gatewayCaller,
    trace: newTrace(),
    deadlineMs: clock.monotonic() + timeoutMs,
  })
  const step = async ({ limit: { name, law }, key, cost }: Demand) => {
    const { emissionMs, burstMs } = law
    const taken = await client(context()).takeRate({ key: `${name}:${key}`, cost, emissionMs, burstMs })
    return { allowed: taken.allowed, debtMs: Math.max(0, taken.tatMs - taken.nowMs) }
  }
  const giveBack = (demand: Demand) => step({ ...demand, cost: -demand.cost }).catch(() => undefined)

  return {
    async take(demands) {
      const steps = await Promise.allSettled(demands.map(step))
      const answers = steps.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      const failed = steps.find((one) => one.status === 'rejected')
      const allowed = failed === undefined && answers.every((one) => one.allowed)
      if (allowed) return { allowed, debtsMs: answers.map(({ debtMs }) => debtMs) }
      demands.forEach((demand, at) => {
        const one = steps[at]
        if (one?.status === 'fulfilled' && one.value.allowed && demand.cost > 0) void giveBack(demand)
      })
      if (failed !== undefined) throw failed.reason
      // What was taken is being given back, so their debts are those before.
      const before = answers.map(({ allowed: took, debtMs }, at) => (took ? debtBefore(demands[at], debtMs) : debtMs))
      return { allowed, debtsMs: before }
    },
    async ping() {
      await client(context()).takeRate(pingStep)
    },
    async close() {},
  }
}

function debtBefore(demand: Demand | undefined, debtMs: number): number {
  return demand === undefined ? debtMs : Math.max(0, debtMs - demand.cost * demand.limit.law.emissionMs)
}

import { type Operator, OperatorError, type SystemStatus } from '../call/operator.ts'
import type { Reply } from '../call/call.ts'
import { implement } from '../service/index.ts'
import type { FailExtra, ServiceDefinition } from '../service/service.ts'
import { adminContract, type Json } from './contract.ts'

type Failing = (code: OperatorError['code'], extra?: FailExtra) => never

/** The operator's operations as a service of ours. */
export function adminService(operator: Operator): ServiceDefinition {
  const impl = implement(adminContract)
  return impl.service({
    handlers: {
      status: async () => plain(await operator.status()),
      gateways: async () => plain(await operator.gateways()),
      scale: ({ input, fail }) =>
        told(fail as Failing, async () => plain(await operator.scale(input.service, input.replicas))),
      restart: ({ input, fail }) => told(fail as Failing, async () => plain(await operator.restart(input.service))),
      stop: ({ input, fail }) => told(fail as Failing, async () => plain(await operator.stop(input.service))),
      start: ({ input, fail }) => told(fail as Failing, async () => plain(await operator.start(input.service))),
      deploy: ({ input, fail }) => told(fail as Failing, async () => plain(await operator.deploy(input.service))),
      call: async ({ input }) => {
        const { key, as, ...rest } = input
        const reply = await operator.call({
          ...rest,
          input: rest.input,
          ...(key === undefined ? {} : { key }),
          ...(as === undefined ? {} : { as }),
        })
        return callReply(reply)
      },
    },
  })
}

/** What the operator refuses is a declared error; everything else is a fault of ours. */
async function told<T>(fail: Failing, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof OperatorError) return fail(error.code, { detail: error.message })
    throw error
  }
}

type Plain<T> = T extends readonly (infer Each)[]
  ? Plain<Each>[]
  : T extends object
    ? { -readonly [K in keyof T as undefined extends T[K] ? never : K]: Plain<T[K]> } & {
        -readonly [K in keyof T as undefined extends T[K] ? K : never]?: Plain<NonNullable<T[K]>>
      }
    : T

/** As JSON has it: what is undefined is not there. */
function plain<T extends SystemStatus | object>(value: T): Plain<T> {
  return JSON.parse(JSON.stringify(value)) as Plain<T>
}

/** What a contract let through, and a problem, are JSON; the contract of this reply checks it once more. */
function callReply(reply: Reply) {
  if (!reply.ok) return { ok: false, status: reply.problem.status, problem: plain(reply.problem) as Json }
  const { status, body } = reply
  if (body.kind === 'value') return { ok: true, status, value: body.value as Json }
  if (body.kind === 'empty') return { ok: true, status }
  const base64 = Buffer.from(body.bytes).toString('base64')
  return { ok: true, status, bytes: { base64, contentType: body.contentType } }
}

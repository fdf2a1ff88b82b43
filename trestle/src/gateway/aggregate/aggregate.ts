import { z } from 'zod'
import type { Access } from '../../contract/access.ts'
import type { AnyContract } from '../../contract/contract.ts'
import { contract } from '../../contract/define-contract.ts'
import type { AnyOperation, OutputOf, ParsedInputOf } from '../../contract/operation.ts'
import type { ErrorMap } from '../../contract/problem.ts'
import type { Policy } from '../policy/policy.ts'
import type { PathAmbiguity } from '../request/canonical-path.ts'
import type { RouteOptions } from '../route/route-options.ts'
import { aggregateAccess } from './aggregate-access.ts'
import { checkParts } from './check-parts.ts'
import type { AnyPart, Part, PartOperation, WrittenOf, ReadOf } from './part.ts'
import { partialSchema } from './partial-schema.ts'

/** Parts by the name that each has in the output. `Input`: what the aggregate's operation is asked with. */
export type PartMap<Input> = Readonly<Record<string, Part<PartOperation, boolean, Input>>>

/** One request answered from several operations, as data. */
export interface AggregateSpec {
  readonly kind: 'aggregate'
  /** With the output that the reply has: the parts and `partial`. */
  readonly operation: PartOperation
  /** The gateway's own: it has the operation, for documents. */
  readonly contract: AnyContract
  /** In an order in which each comes after what it reads. */
  readonly parts: readonly NamedPart[]
  /** Of the operation and of every required part: who lacks one of them cannot be answered. */
  readonly access: Access
  readonly hosts: readonly string[]
  readonly allowInPath: readonly PathAmbiguity[]
  readonly policies: readonly Policy[]
  readonly cost: number
}

export interface NamedPart {
  readonly name: string
  readonly part: AnyPart
  /** What the reply holds under its name. */
  readonly schema: z.ZodType
  /** The service's own bytes are what the reply declares: they are passed on as they are. */
  readonly asWritten: boolean
}

type FitOf<P extends AnyPart, Wanted> = [ReadOf<P>] extends [Wanted]
  ? P
  : [WrittenOf<P>] extends [Wanted]
    ? P
    : 'the output of this part does not fit the declared output'

/** The parts, or for each that does not fit the declared output a sentence that says so. */
type Fitting<Op extends AnyOperation, Parts> = Op['output'] extends z.ZodVoid | undefined
  ? Parts
  : { [K in keyof Parts]: Parts[K] extends AnyPart ? FitOf<Parts[K], WantedOf<Op, K>> : never } & {
      [K in Exclude<
        RequiredOf<OutputOf<Op>>,
        keyof Parts
      >]: 'the declared output has this field, and no part has its name'
    }

type WantedOf<Op extends AnyOperation, K> = K extends keyof OutputOf<Op> ? OutputOf<Op>[K] : never
type RequiredOf<T> = { [K in keyof T]-?: undefined extends T[K] ? never : K }[keyof T]

/** What callers of an aggregate without a declared output read. */
export type AggregateOutput<Parts> = { [K in keyof Parts]: Parts[K] extends AnyPart ? ReadOf<Parts[K]> : never }

/**
 * Answers one request from several operations. Parts are asked at the same time, each as soon as what it reads is there,
 * all within the operation's `timeoutMs`, each with the caller's rights. A part fails the reply with its own problem; one
 * that is `optional` becomes `null` and is named in `partial` and in `Trestle-Partial`. Without a declared `output` the
 * reply is what the parts give.
 * @throws TypeError when a part reads one that is not there or they read each other, has no one JSON reply, may have a
 *   second effect, or does not say who may ask; ContractError when the operation itself is wrong
 * @example aggregate(get('/home', { access: anyone() }), {
 *   products: part(catalogue.operations.list, () => ({ limit: 12 })),
 *   cart: optional(part(carts.operations.mine, () => ({})), { timeoutMs: 150 }),
 * })
 */
export function aggregate<Op extends AnyOperation, const Parts extends PartMap<ParsedInputOf<Op>>>(
  operation: Op,
  parts: Parts & Fitting<Op, Parts>,
  options: RouteOptions = {},
): AggregateSpec {
  const rest = operation.rest
  const place = `aggregate(${rest === undefined ? 'without a route' : `${rest.method} ${rest.path}`})`
  const fail = (what: string) => new TypeError(`${place}: ${what}`)
  if (rest === undefined) throw fail('it needs a route; define it with get, post, put, patch or del')
  if (operation.access === undefined) {
    throw fail('it does not say who may ask; give it access: anyone(), signedIn() or scopes(...)')
  }
  const declared = declaredFields(operation, fail)
  const named = checkParts(parts, fail).map(({ name, part }) => namedPart(name, part, declared))
  const extra = declared && named.find(({ schema }) => schema === undefined)
  if (extra !== undefined) throw fail(`${extra.name} is not in the declared output`)
  const missing = Object.keys(declared ?? {}).find((name) => !named.some((one) => one.name === name))
  if (missing !== undefined) throw fail(`the declared output has ${missing}, and no part has this name`)
  const access = aggregateAccess(operation.access, named)
  const shown = {
    ...operation,
    access,
    status: operation.output === undefined ? 200 : operation.status,
    output: z.object({
      ...Object.fromEntries(named.map(({ name, schema }) => [name, schema])),
      partial: partialSchema,
    }),
    errors: errorsOf(operation, named),
  }
  const own = contract('aggregates', {
    version: '1.0.0',
    summary: 'Answers that the gateway puts together from several operations.',
    operations: { [operationName(rest.method, rest.path)]: shown },
  })
  const { hosts = [], allowInPath = [], policies = [], cost = 1 } = options
  const [bound] = Object.values(own.operations)
  return {
    kind: 'aggregate',
    operation: bound as PartOperation,
    contract: own,
    parts: named,
    access,
    hosts,
    allowInPath,
    policies,
    cost,
  }
}

/** The fields of the output, when the operation declares one. */
function declaredFields(
  { output, responses }: AnyOperation,
  fail: (what: string) => TypeError,
): Readonly<Record<string, z.ZodType>> | undefined {
  if (responses !== undefined) throw fail('it has one reply: say its output, not responses')
  if (output === undefined) return undefined
  if (!(output instanceof z.ZodObject)) throw fail('its output is an object with a field for each part')
  return output.shape as Record<string, z.ZodType>
}

function namedPart(name: string, part: AnyPart, declared: Readonly<Record<string, z.ZodType>> | undefined): NamedPart {
  const given = part.operation.output as z.ZodType
  if (declared === undefined) return { name, part, schema: part.required ? given : given.nullable(), asWritten: true }
  const schema = declared[name] as z.ZodType
  return { name, part, schema, asWritten: schema !== undefined && bare(schema) === given }
}

/** Without `optional` and `nullable`: what is there when it is there. */
function bare(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? bare(schema.unwrap() as z.ZodType)
    : schema
}

/** A required part's failures are the reply's; where two mean different things by one code, the first is documented. */
function errorsOf(operation: AnyOperation, parts: readonly NamedPart[]): ErrorMap {
  const required = parts.filter(({ part }) => part.required).map(({ part }) => part.operation.errors as ErrorMap)
  return Object.assign({}, ...required.toReversed(), operation.errors) as ErrorMap
}

/** `GET /users/{id}/home` -> `getUsersIdHome` */
function operationName(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(Boolean)
  return method.toLowerCase() + words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
}

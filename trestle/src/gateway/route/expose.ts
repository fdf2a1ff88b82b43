import type { AnyContract } from '../../contract/contract.ts'
import type { AnyOperation } from '../../contract/operation.ts'
import type { Policy } from '../policy/policy.ts'
import type { PathAmbiguity } from '../request/canonical-path.ts'
import type { RouteOptions } from './route-options.ts'
import { fieldsOf } from './route-template.ts'

/** Which operations of a contract are shown, and under which path. */
export interface ExposeOptions<Name extends string = string> extends RouteOptions {
  /** Only these operations. */
  readonly only?: readonly Name[]
  /** All but these. */
  readonly except?: readonly Name[]
  /** Put before every path: `/v1`. */
  readonly prefix?: string
}

/** An operation with a public address. */
export interface ExposedOperation {
  readonly contract: AnyContract
  readonly operation: AnyOperation & { readonly name: string }
  readonly method: string
  /** With the prefix: `/v1/orders/{id}`. */
  readonly path: string
}

/** Operations of a contract made public, as data. */
export interface ExposeSpec {
  readonly kind: 'expose'
  readonly contract: AnyContract
  readonly prefix: string
  readonly operations: readonly ExposedOperation[]
  readonly hosts: readonly string[]
  readonly allowInPath: readonly PathAmbiguity[]
  readonly policies: readonly Policy[]
  readonly cost: number
}

/**
 * Makes the operations of a contract that have a REST address public.
 * @throws TypeError when one of them does not say who may ask, a name is not an operation with a route, or nothing is left
 * @example expose(orders, { except: ['cancel'], prefix: '/v1' })
 */
export function expose<C extends AnyContract>(
  contract: C,
  options: ExposeOptions<keyof C['operations'] & string> = {},
): ExposeSpec {
  const { prefix = '', hosts = [], allowInPath = [], policies = [], cost = 1 } = options
  if (prefix !== '' && !/^(?:\/[A-Za-z0-9_.~-]+)+$/.test(prefix)) {
    throw new TypeError(`expose(${contract.name}): prefix must be like /v1, not ${JSON.stringify(prefix)}`)
  }
  const all: [string, ExposedOperation['operation']][] = Object.entries(contract.operations)
  for (const name of [...(options.only ?? []), ...(options.except ?? [])]) checkName(contract, name)
  const chosen = all.filter(
    ([name, { rest }]) =>
      rest !== undefined && (options.only?.includes(name) ?? true) && options.except?.includes(name) !== true,
  )
  if (chosen.length === 0) throw new TypeError(`expose(${contract.name}): no operation with a route is left to expose`)
  const operations = chosen.map(([, operation]) => exposed(contract, operation, prefix))
  return { kind: 'expose', contract, prefix, operations, hosts, allowInPath, policies, cost }
}

function checkName(contract: AnyContract, name: string): void {
  const operation: AnyOperation | undefined = contract.operations[name]
  if (operation === undefined) throw new TypeError(`expose(${contract.name}): there is no operation ${name}`)
  if (operation.rest === undefined) {
    throw new TypeError(`expose(${contract.name}): ${name} has no route; define it with get, post, put, patch or del`)
  }
}

function exposed(contract: AnyContract, operation: ExposedOperation['operation'], prefix: string): ExposedOperation {
  if (operation.access === undefined) {
    throw new TypeError(
      `expose(${contract.name}): ${operation.name} does not say who may ask; ` +
        'give it access: anyone(), signedIn() or scopes(...), or leave it out with except',
    )
  }
  const { method, path } = operation.rest as NonNullable<AnyOperation['rest']>
  const full = prefix !== '' && path === '/' ? prefix : `${prefix}${path}`
  fieldsOf(full)
  return { contract, operation, method, path: full }
}

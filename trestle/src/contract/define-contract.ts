import type { z } from 'zod'
import { checkContract } from './check-contract.ts'
import type { Contract, EventMap, EventSpec, OperationMap, Upcast } from './contract.ts'
import type { Schema } from './operation.ts'

export interface ContractSpec<Ops extends OperationMap, Events extends EventMap> {
  /** Semantic version, `1.4.0`. */
  readonly version: string
  /** The team that answers for it. */
  readonly owner?: string
  readonly summary?: string
  readonly description?: string
  readonly operations: Ops
  readonly events?: Events
}

/** What orders an event, which version of its payload this is, and how earlier ones are read. */
export interface EventOptions<Payload extends z.ZodObject> {
  /** The field of the payload that orders: events of one key are read in their order. */
  readonly key: keyof z.output<Payload> & string
  /** Rises by one when the payload changes in a way that its readers must know of; default 1. */
  readonly version?: number
  /** By version: makes of such a payload one of the next version, in wire form. */
  readonly upcast?: Readonly<Record<number, Upcast>>
  readonly summary?: string
}

/**
 * Declares an event: its payload and the payload field that orders it (events of one key are read in their order).
 * @example events: { placed: event(Order, { key: 'id' }) }
 * @example
 * events: {
 *   placed: event(Order, { key: 'id', version: 2, upcast: { 1: (old) => ({ ...old, currency: 'EUR' }) } }),
 * }
 */
export function event<Payload extends z.ZodObject>(
  payload: Payload,
  { key, version = 1, upcast = {}, summary }: EventOptions<Payload>,
): EventSpec<Payload> {
  return { payload, key, version, upcast, summary }
}

/**
 * Defines a contract. Everything that is wrong with it is an error here, with its place and its remedy.
 * @param name kebab-case, at most 48 characters
 * @throws ContractError `invalid_contract`
 * @example contract('orders', { version: '1.0.0', operations: { find: get('/orders/{id}', { ... }) } })
 */
export function contract<
  const Name extends string,
  Ops extends OperationMap,
  Events extends EventMap = Record<never, never>,
>(name: Name, spec: ContractSpec<Ops, Events>): Contract<Name, Ops, Events> {
  checkContract(name, spec)
  const ref = { name, version: spec.version, id: `${name}@${spec.version.split('.')[0]}` }
  const operations = Object.fromEntries(
    Object.entries(spec.operations).map(([key, operation]) => [key, { ...operation, name: key, contract: ref }]),
  )
  const events = Object.fromEntries(
    Object.entries<EventSpec<Schema>>(spec.events ?? {}).map(([key, e]) => [
      key,
      { ...e, name: key, contract: name, contractId: ref.id },
    ]),
  )
  return {
    ...ref,
    kind: 'contract',
    owner: spec.owner,
    summary: spec.summary,
    description: spec.description,
    operations,
    events,
  } as never
}

import type { z } from 'zod'
import type { AnyOperation, Schema } from './operation.ts'

/**
 * Makes of a payload what the next version of the event would have carried, in wire form.
 * @param old what the earlier version's schema had accepted; nobody's schema of today knows its shape
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the shape of an earlier version is written nowhere any more
export type Upcast = (old: any) => unknown

/** An event as declared: payload and the field whose value orders it (one key, one order). */
export interface EventSpec<Payload extends Schema = Schema> {
  readonly payload: Payload
  readonly key: string
  /** Of the payload's schema, from 1. */
  readonly version: number
  /** By version: what makes the next one of it. A version that is not here needs no change. */
  readonly upcast: Readonly<Record<number, Upcast>>
  readonly summary: string | undefined
}

/** An event of a contract, knowing its own name. */
export interface ContractEvent<Name extends string = string, Payload extends Schema = Schema>
  extends EventSpec<Payload> {
  readonly contract: string
  /** `name@major` of its contract: the stream in which it is published. */
  readonly contractId: string
  readonly name: Name
}

/** The operations of a contract by name. */
export type OperationMap = Readonly<Record<string, AnyOperation>>
/** The events of a contract by name. */
export type EventMap = Readonly<Record<string, EventSpec>>

/** An operation of a contract, knowing its own name and contract. */
export type Bound<Op extends AnyOperation, Name extends string> = Op & {
  readonly name: Name
  readonly contract: ContractRef
}

/** Identifies a contract on the wire and in the registry. */
export interface ContractRef {
  readonly name: string
  /** Semantic version. */
  readonly version: string
  /** `name@major`: what callers and instances agree on, so that two major versions may run at once. */
  readonly id: string
}

/** All that the rest of the world may know about a service. Made by `contract(...)`; plain data. */
export interface Contract<
  Name extends string = string,
  Ops extends OperationMap = OperationMap,
  Events extends EventMap = EventMap,
> extends ContractRef {
  readonly kind: 'contract'
  readonly name: Name
  readonly owner: string | undefined
  readonly summary: string | undefined
  readonly description: string | undefined
  readonly operations: { readonly [K in keyof Ops & string]: Bound<Ops[K], K> }
  readonly events: { readonly [K in keyof Events & string]: ContractEvent<K, Events[K]['payload']> }
}

/** Any contract, whatever its operations and events. */
// oxlint-disable-next-line typescript/no-explicit-any -- the one place that says "any contract" to the type system
export type AnyContract = Contract<string, any, any>

/** What an event carries, as its readers see it. */
export type EventOf<E extends EventSpec> = z.output<E['payload']>

/** What an event carries, as its publisher writes it: the wire form, defaults left out. */
export type EventInputOf<E extends EventSpec> = z.input<E['payload']>

import type { z } from 'zod'
import { checkExamples, checkSchemaExamples } from './check-examples.ts'
import { checkOperation } from './check-operation.ts'
import { checkWire } from './check-wire.ts'
import { isTextual } from './coerce.ts'
import type { EventMap, EventSpec, OperationMap } from './contract.ts'
import { ContractError } from './contract-error.ts'
import type { ContractSpec } from './define-contract.ts'
import type { AnyOperation } from './operation.ts'
import { mayBeMissing } from './zod-def.ts'

// A contract's name becomes a database name, a path on the wire and a command-line argument.
const contractName = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
const contractNameMax = 48
const memberName = /^[a-z][A-Za-z0-9]*$/
// Source: semver.org 2.0.0.
const semver =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

/** Checks a contract as written. @throws ContractError with the place and the remedy */
export function checkContract<Ops extends OperationMap, Events extends EventMap>(
  name: string,
  spec: ContractSpec<Ops, Events>,
): void {
  if (!contractName.test(name) || name.length > contractNameMax) {
    throw new ContractError(
      `contract ${JSON.stringify(name)}`,
      `a name is kebab-case, at most ${contractNameMax} characters: orders, partner-api`,
    )
  }
  if (!semver.test(spec.version)) {
    throw new ContractError(`${name} version`, `${JSON.stringify(spec.version)} is no semantic version: 1.4.0`)
  }
  for (const [key, operation] of Object.entries<AnyOperation>(spec.operations)) {
    checkMember(name, key, 'operation')
    const place = `${name}.${key}`
    checkOperation(operation, place)
    checkExamples(operation, place)
    for (const [where, schema] of schemasOf(operation)) checkSchemaExamples(schema, `${place} ${where}`)
  }
  for (const [key, event] of Object.entries<EventSpec>(spec.events ?? {})) {
    checkMember(name, key, 'event')
    checkEvent(event, `${name}.${key}`)
  }
  checkRoutes(name, spec.operations)
}

function checkMember(name: string, key: string, what: string): void {
  // `then` would make a client look like a promise; `constructor` and the like are on every object.
  if (!memberName.test(key) || key === 'then' || key in Object.prototype) {
    throw new ContractError(
      `${name}.${key}`,
      `the name of an ${what} is camelCase, and not one that every object has: placeOrder`,
    )
  }
}

function schemasOf(operation: AnyOperation): readonly (readonly [where: string, schema: z.ZodType])[] {
  const replies = Object.entries<z.ZodType>(operation.responses ?? {}).map(
    ([status, schema]) => [`responses[${status}]`, schema] as const,
  )
  const output = operation.output === undefined ? [] : [['output', operation.output as z.ZodType] as const]
  return [['input', operation.input as z.ZodType], ...output, ...replies]
}

function checkEvent(event: EventSpec, place: string): void {
  checkWire(event.payload, place)
  checkSchemaExamples(event.payload, place)
  if (!Number.isInteger(event.version) || event.version < 1) {
    throw new ContractError(`${place} version`, `must be a whole number from 1, not ${event.version}`)
  }
  checkUpcast(event, place)
  const shape = (event.payload as z.ZodObject).shape as Record<string, z.ZodType>
  const key = Object.hasOwn(shape, event.key) ? shape[event.key] : undefined
  if (key === undefined) throw new ContractError(`${place} key`, `${JSON.stringify(event.key)} is not in the payload`)
  if (mayBeMissing(key) || !isTextual(key)) {
    throw new ContractError(
      `${place} key`,
      `${JSON.stringify(event.key)} orders the events: it must be a required scalar`,
    )
  }
}

function checkUpcast({ upcast, version }: EventSpec, place: string): void {
  for (const [from, make] of Object.entries(upcast)) {
    const number = Number(from)
    if (!Number.isInteger(number) || number < 1 || number >= version) {
      throw new ContractError(
        `${place} upcast`,
        version === 1
          ? 'version 1 has none before it: raise `version`, or take `upcast` out'
          : `${JSON.stringify(from)} is no version before ${version}: write 1..${version - 1}`,
      )
    }
    if (typeof make !== 'function') {
      throw new ContractError(`${place} upcast`, `${from} must be a function that makes version ${number + 1} of it`)
    }
  }
}

/** Two operations at one address: fields of a template match whatever their names are. */
function checkRoutes(name: string, operations: Readonly<Record<string, AnyOperation>>): void {
  const seen = new Map<string, string>()
  for (const [key, { rest }] of Object.entries(operations)) {
    if (rest === undefined) continue
    const address = `${rest.method} ${rest.path.replaceAll(/\{[^{}]*\}/g, '{}')}`
    const other = seen.get(address)
    if (other !== undefined) {
      throw new ContractError(
        `${name}.${key}`,
        `${rest.method} ${rest.path} is the address of ${name}.${other} already`,
      )
    }
    seen.set(address, key)
  }
}

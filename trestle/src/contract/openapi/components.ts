import type { z } from 'zod'
import { ContractError } from '../contract-error.ts'
import { type Direction, type JsonSchema, jsonSchemaOf } from '../json-schema.ts'

/** A named schema as one contract says it in one direction. */
interface Entry {
  readonly contract: string
  readonly direction: Direction
  readonly name: string
  readonly body: JsonSchema
}

const prefix = '#/$defs/'
/** Refers to a named schema until all are known and get their final names. */
const pending = 'trestle-pending:'

export function pascal(text: string): string {
  return text.replaceAll(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, first: string) => first.toUpperCase())
}

/** `orders@1` -> `Orders`, `orders@2` -> `OrdersV2`. */
function contractPrefix(id: string): string {
  const [name, major] = id.split('@') as [string, string]
  return pascal(name) + (major === '1' ? '' : `V${major}`)
}

function mapRefs(value: unknown, rename: (ref: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapRefs(item, rename))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string' ? rename(inner) : mapRefs(inner, rename),
    ]),
  )
}

/**
 * Collects the named schemas (`.meta({ id })`) of a document, each emitted once. A schema whose request form differs
 * from its reply form (defaults) is there twice, the request form as `OrderInput`; two contracts that mean different
 * things by one name get their own: `CartsLine`, `OrdersLine`.
 */
export class Components {
  readonly #base = '#/components/schemas/'
  readonly #discriminator: DiscriminatorForm
  readonly #entries = new Map<string, Entry>()

  constructor(discriminator: DiscriminatorForm) {
    this.#discriminator = discriminator
  }

  /** The schema with its named parts moved out. `where` names what is recursive without a name: `PlaceInput`. */
  schemaOf(schema: z.ZodType, direction: Direction, contract: string, where: string): JsonSchema {
    const { $defs, ...root } = jsonSchemaOf(schema, direction)
    const defs = ($defs ?? {}) as Record<string, JsonSchema>
    const local = (name: string) => (name.startsWith('__schema') ? `${where}Node${name.slice(8)}` : name)
    const keyOf = (name: string) => `${contract}|${direction}|${local(name)}`
    const whole = `${where}Node`
    let recursive = false
    const pend = (ref: string): string => {
      if (ref !== '#')
        return ref.startsWith(prefix) ? pending + keyOf(decodeURIComponent(ref.slice(prefix.length))) : ref
      recursive = true
      return pending + keyOf(whole)
    }
    for (const [name, body] of Object.entries(defs)) {
      this.#add(contract, direction, local(name), mapRefs(body, pend) as JsonSchema)
    }
    const body = mapRefs(root, pend) as JsonSchema
    if (!recursive) return body
    this.#add(contract, direction, whole, body)
    return { $ref: pending + keyOf(whole) }
  }

  #add(contract: string, direction: Direction, name: string, body: JsonSchema): void {
    const { id: _id, $id: _schemaId, ...rest } = body
    const key = `${contract}|${direction}|${name}`
    const known = this.#entries.get(key)
    if (known !== undefined && JSON.stringify(known.body) !== JSON.stringify(rest)) {
      throw new ContractError(
        contract,
        `two different schemas are named ${JSON.stringify(name)}: .meta({ id }) must be unique in a contract`,
      )
    }
    this.#entries.set(key, { contract, direction, name, body: rest })
  }

  /** Gives every named schema its final name and puts the names into `value`. */
  finish<T>(value: T): { readonly value: T; readonly schemas: Readonly<Record<string, JsonSchema>> } {
    const names = this.#finalNames()
    const rename = (ref: string) =>
      ref.startsWith(pending) ? this.#base + (names.get(ref.slice(pending.length)) as string) : ref
    const schemas: Record<string, JsonSchema> = {}
    for (const [key, entry] of this.#entries)
      schemas[names.get(key) as string] = mapRefs(entry.body, rename) as JsonSchema
    const mapped = <V>(schema: V) =>
      withDiscriminators(schema, { form: this.#discriminator, schemas, base: this.#base }) as V
    return { value: mapped(mapRefs(value, rename) as T), schemas: mapped(schemas) }
  }

  #finalNames(): ReadonlyMap<string, string> {
    const byName = Map.groupBy(this.#entries.entries(), ([, entry]) => entry.name)
    const names = new Map<string, string>()
    for (const [name, group] of byName) {
      const signatures = new Map(group.map(([key]) => [key, this.#signature(key, [])]))
      const ofContract = (contract: string) => group.filter(([, entry]) => entry.contract === contract)
      const said = (contract: string) =>
        ofContract(contract).map(([key, entry]) => `${entry.direction} ${signatures.get(key)}`)
      const contracts = [...new Set(group.map(([, entry]) => entry.contract))]
      const clash =
        new Set(group.map(([key, entry]) => `${entry.direction} ${signatures.get(key)}`)).size > 2 ||
        contracts.some((a) => contracts.some((b) => disagree(said(a), said(b))))
      for (const [key, entry] of group) {
        const own = new Set(ofContract(entry.contract).map(([other]) => signatures.get(other)))
        const input = own.size > 1 && entry.direction === 'request' ? 'Input' : ''
        names.set(key, `${clash ? contractPrefix(entry.contract) : ''}${name}${input}`)
      }
    }
    return names
  }

  /** The whole meaning of an entry, with what it refers to written out. */
  #signature(key: string, above: readonly string[]): string {
    const entry = this.#entries.get(key) as Entry
    return JSON.stringify(
      mapRefs(entry.body, (ref) => {
        if (!ref.startsWith(pending)) return ref
        const target = ref.slice(pending.length)
        return above.includes(target) || target === key
          ? `^${this.#entries.get(target)?.name}`
          : this.#signature(target, [...above, key])
      }),
    )
  }
}

/** Whether two contracts say different things in the same direction. */
function disagree(a: readonly string[], b: readonly string[]): boolean {
  return a.some((one) => b.some((other) => one !== other && one.slice(0, 7) === other.slice(0, 7)))
}

/** OpenAPI says a discriminator as an object with a mapping, AsyncAPI as the name of the property. */
export type DiscriminatorForm = 'object' | 'name'

type Schemas = Readonly<Record<string, JsonSchema>>

interface Finish {
  readonly form: DiscriminatorForm
  readonly schemas: Schemas
  readonly base: string
}

/** Says each discriminator in the form of the document; over named schemas, which value means which schema. */
function withDiscriminators(value: unknown, finish: Finish): unknown {
  if (Array.isArray(value)) return value.map((item) => withDiscriminators(item, finish))
  if (typeof value !== 'object' || value === null) return value
  const done = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withDiscriminators(inner, finish)]))
  const { discriminator, oneOf } = done as { discriminator?: { propertyName?: unknown }; oneOf?: unknown }
  const name = discriminator?.propertyName
  if (typeof name !== 'string' || !Array.isArray(oneOf)) return done
  if (finish.form === 'name') return { ...done, discriminator: name }
  const mapping = mappingOf(name, oneOf as JsonSchema[], finish.schemas, finish.base)
  return mapping === undefined ? done : { ...done, discriminator: { ...discriminator, mapping } }
}

function mappingOf(
  tag: string,
  options: readonly JsonSchema[],
  schemas: Schemas,
  base: string,
): JsonSchema | undefined {
  const mapping: JsonSchema = {}
  for (const { $ref } of options) {
    if (typeof $ref !== 'string') return undefined
    const properties = schemas[$ref.slice(base.length)]?.['properties'] as Record<string, JsonSchema> | undefined
    const { const: one, enum: several } = properties?.[tag] ?? {}
    for (const value of (several as unknown[] | undefined) ?? [one]) mapping[String(value)] = $ref
  }
  return mapping
}

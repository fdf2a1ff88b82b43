import { asObject, isObject, type Json, mapObjects } from './json.ts'

/** Links say addresses of the upstream; its ways to authenticate are not the gateway's. */
const kept = ['schemas', 'responses', 'parameters', 'examples', 'requestBodies', 'headers', 'callbacks', 'pathItems']

/** Refers to the gateway's own reply until names are given: it keeps its name. */
export const gatewayProblem = '#gateway/components/responses/GatewayProblem'

/** Gives what a foreign document names names that are free, and takes over only what is reached. */
export class NewNames {
  readonly #own: Json
  readonly #taken: Record<string, Json>
  readonly #prefix: string
  readonly #names = new Map<string, string>()
  readonly #open: string[] = []

  constructor(taken: Record<string, Json>, own: Json, prefix: string) {
    this.#taken = taken
    this.#own = own
    this.#prefix = prefix
  }

  /** A copy whose references lead to the new names. */
  renamed(value: unknown): Json {
    return mapObjects(value, (object) => {
      const ref = object['$ref']
      if (typeof ref === 'string') return { ...object, $ref: this.#nameOf(ref) }
      const mapping = asObject(object['discriminator'])['mapping']
      if (!isObject(mapping)) return object
      const renamed = Object.entries(mapping).map(([tag, target]) => [tag, this.#nameOf(asReference(String(target)))])
      return {
        ...object,
        discriminator: { ...asObject(object['discriminator']), mapping: Object.fromEntries(renamed) },
      }
    }) as Json
  }

  /** Adds what was referred to, and what that refers to. */
  addReached(components: Record<string, Json>): void {
    for (let ref = this.#open.pop(); ref !== undefined; ref = this.#open.pop()) {
      const [section, name] = partsOf(ref)
      const [, made] = partsOf(this.#names.get(ref) as string)
      const found = asObject(this.#own[section])[name]
      const target = (components[section] ??= {})
      target[made] = this.renamed(section === 'responses' ? withoutLinks(asObject(found)) : found)
    }
  }

  #nameOf(ref: string): string {
    if (ref === gatewayProblem) return ref.replace('#gateway', '#')
    const known = this.#names.get(ref)
    if (known !== undefined) return known
    const [section, name] = partsOf(ref)
    if (!kept.includes(section)) return ref
    const taken = new Set([
      ...Object.keys(this.#taken[section] ?? {}),
      ...[...this.#names.values()].map((one) => partsOf(one)[1]),
    ])
    const made = `#/components/${section}/${taken.has(name) ? unique(`${this.#prefix}${name}`, taken) : name}`
    this.#names.set(ref, made)
    this.#open.push(ref)
    return made
  }
}

function asReference(target: string): string {
  return target.includes('/') ? target : `#/components/schemas/${target}`
}

function partsOf(ref: string): readonly [section: string, name: string] {
  const [, , section = '', name = ''] = ref.split('/')
  return [section, decodeURIComponent(name)]
}

export function withoutLinks({ links: _links, ...response }: Json): Json {
  return response
}

/** The name, or the first with a number behind it that is free. */
export function unique(name: string, taken: ReadonlySet<unknown>): string {
  let made = name
  for (let n = 2; taken.has(made); n += 1) made = `${name}${n}`
  return made
}

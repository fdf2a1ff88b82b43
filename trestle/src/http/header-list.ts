import type { Headers } from './message.ts'

/** Header fields as they came: a flat list of names and values; looked up through a map made at the first look-up. */
class HeaderList implements Headers {
  readonly #raw: readonly string[]
  #byName: Map<string, string[]> | undefined

  constructor(raw: readonly string[]) {
    this.#raw = raw
  }

  get(name: string): string | undefined {
    const values = this.#values(name)
    if (values === undefined) return undefined
    return values.length === 1 ? values[0] : values.join(', ')
  }

  getAll(name: string): readonly string[] {
    return this.#values(name) ?? []
  }

  has(name: string): boolean {
    return this.#values(name) !== undefined
  }

  *entries(): Generator<readonly [string, string]> {
    for (let i = 0; i + 1 < this.#raw.length; i += 2) {
      yield [(this.#raw[i] as string).toLowerCase(), this.#raw[i + 1] as string]
    }
  }

  #values(name: string): string[] | undefined {
    this.#byName ??= this.#index()
    return this.#byName.get(name) ?? this.#byName.get(name.toLowerCase())
  }

  #index(): Map<string, string[]> {
    const byName = new Map<string, string[]>()
    for (let i = 0; i + 1 < this.#raw.length; i += 2) {
      const name = (this.#raw[i] as string).toLowerCase()
      const values = byName.get(name)
      if (values === undefined) byName.set(name, [this.#raw[i + 1] as string])
      else values.push(this.#raw[i + 1] as string)
    }
    return byName
  }
}

/**
 * Headers from a flat list: name, value, name, value, as an engine's parser leaves them.
 * @example headersFrom(['Accept', 'text/html', 'accept', 'text/plain']).get('accept') // 'text/html, text/plain'
 */
export function headersFrom(raw: readonly string[]): Headers {
  return new HeaderList(raw)
}

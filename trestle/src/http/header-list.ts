import type { Headers } from './message.ts'

/**
 * Header fields as they came: a flat list of names and values. There are few, and few are asked for: looking through
 * them costs less than a map.
 */
class HeaderList implements Headers {
  readonly #raw: readonly string[]

  constructor(raw: readonly string[]) {
    this.#raw = raw
  }

  get(name: string): string | undefined {
    const first = this.#find(name, 0)
    if (first === -1) return undefined
    const value = this.#raw[first + 1] as string
    return this.#find(name, first + 2) === -1 ? value : this.getAll(name).join(', ')
  }

  getAll(name: string): readonly string[] {
    const values: string[] = []
    for (let at = this.#find(name, 0); at !== -1; at = this.#find(name, at + 2))
      values.push(this.#raw[at + 1] as string)
    return values
  }

  has(name: string): boolean {
    return this.#find(name, 0) !== -1
  }

  *entries(): Generator<readonly [string, string]> {
    for (let i = 0; i + 1 < this.#raw.length; i += 2) {
      yield [(this.#raw[i] as string).toLowerCase(), this.#raw[i + 1] as string]
    }
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (let i = 0; i + 1 < this.#raw.length; i += 2) {
      visit((this.#raw[i] as string).toLowerCase(), this.#raw[i + 1] as string)
    }
  }

  /** Where the name is, from `at` on; -1: it is not there. */
  #find(name: string, at: number): number {
    const raw = this.#raw
    for (let i = at; i + 1 < raw.length; i += 2) {
      const other = raw[i] as string
      if (other.length === name.length && (other === name || other.toLowerCase() === name.toLowerCase())) return i
    }
    return -1
  }
}

/**
 * Headers from a flat list: name, value, name, value, as an engine's parser leaves them.
 * @example headersFrom(['Accept', 'text/html', 'accept', 'text/plain']).get('accept') // 'text/html, text/plain'
 */
export function headersFrom(raw: readonly string[]): Headers {
  return new HeaderList(raw)
}

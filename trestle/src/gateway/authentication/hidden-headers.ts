import type { Headers } from '../../http/message.ts'

/** Headers without those that hold a credential. */
export class HiddenHeaders implements Headers {
  readonly #all: Headers
  readonly #hidden: readonly string[]

  /** @param hidden names in lower case */
  constructor(all: Headers, hidden: readonly string[]) {
    this.#all = all
    this.#hidden = hidden
  }

  get(name: string): string | undefined {
    return this.#hides(name) ? undefined : this.#all.get(name)
  }

  getAll(name: string): readonly string[] {
    return this.#hides(name) ? [] : this.#all.getAll(name)
  }

  has(name: string): boolean {
    return !this.#hides(name) && this.#all.has(name)
  }

  forEach(visit: (name: string, value: string) => void): void {
    this.#all.forEach((name, value) => {
      if (!this.#hidden.includes(name)) visit(name, value)
    })
  }

  *entries(): Generator<readonly [string, string]> {
    for (const entry of this.#all.entries()) if (!this.#hidden.includes(entry[0])) yield entry
  }

  #hides(name: string): boolean {
    return this.#hidden.includes(name.toLowerCase())
  }
}

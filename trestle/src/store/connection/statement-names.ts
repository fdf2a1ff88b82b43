import { createHash } from 'node:crypto'

/**
 * Names of prepared statements on one connection: made from a hash of the SQL, the least recently used one given up
 * beyond the bound. A name is never given twice on a connection, so a statement that could not be deallocated in time
 * cannot clash with its successor.
 */
export class StatementNames {
  readonly #namesMax: number
  readonly #names = new Map<string, string>()
  #given = 0

  constructor(namesMax: number) {
    this.#namesMax = namesMax
  }

  get size(): number {
    return this.#names.size
  }

  /** The name for `sql`, and the name that had to be given up for it. */
  nameFor(sql: string): { readonly name: string; readonly evicted?: string } {
    const known = this.#names.get(sql)
    if (known !== undefined) {
      this.#names.delete(sql)
      this.#names.set(sql, known)
      return { name: known }
    }
    this.#given += 1
    const name = `t${createHash('sha1').update(sql).digest('hex').slice(0, 16)}_${this.#given}`
    this.#names.set(sql, name)
    if (this.#names.size <= this.#namesMax) return { name }
    const [oldest, evicted] = this.#names.entries().next().value as [string, string]
    this.#names.delete(oldest)
    return { name, evicted }
  }

  /** Gives up the name of `sql`: the server no longer accepts it. */
  forget(sql: string): string | undefined {
    const name = this.#names.get(sql)
    this.#names.delete(sql)
    return name
  }
}

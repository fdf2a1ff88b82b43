import { type StatementKind, statementKind } from './statement-kind.ts'

/** Remembers the kind of each statement; the oldest is forgotten beyond the bound. */
export class StatementKinds {
  readonly #kinds = new Map<string, StatementKind>()
  readonly #statementsMax: number

  constructor(statementsMax: number) {
    this.#statementsMax = statementsMax
  }

  of(sql: string): StatementKind {
    return this.#kinds.get(sql) ?? this.#remember(sql, statementKind({ sql }))
  }

  /** The database refused it on a read-only connection: it writes, whatever it looks like. */
  isWrite(sql: string): void {
    this.#remember(sql, 'own')
  }

  #remember(sql: string, kind: StatementKind): StatementKind {
    if (this.#kinds.size >= this.#statementsMax) {
      const oldest = this.#kinds.keys().next().value
      if (oldest !== undefined) this.#kinds.delete(oldest)
    }
    this.#kinds.set(sql, kind)
    return kind
  }
}

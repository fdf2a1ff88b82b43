/**
 * Every code a store fails with. What a database refuses because of the statement itself (a violated constraint, a
 * syntax error) is not here: it passes as the driver's error, with PostgreSQL's own `code`.
 */
export const storeErrors = {
  overloaded:
    'No connection was free in time, or a transaction took too long or lost against others; nothing was written',
  unavailable: 'The database cannot be reached, or cannot work because its disk is full; nothing was written',
  outcome_unknown: 'The connection broke while a write was on its way; it may have been written',
  nested_transaction: 'A transaction was opened inside a transaction',
  second_transaction: 'Work that must have its effect once opened a second transaction',
  event_invalid: 'An event does not match its contract, or is too large; the transaction was rolled back',
  feed_position_lost:
    'The events behind this position are no longer kept, or the database was put back to a state before it',
  migration_changed: 'A migration that has run was changed or removed',
  migration_failed: 'A migration did not run',
  migration_invalid: 'The names of the migration files do not form one sequence',
  already_running: 'Another process owns this data directory',
  embedded_unavailable: 'The embedded PostgreSQL cannot run here',
  embedded_failed: 'The embedded PostgreSQL did not start',
  pools_exceed_server: 'All connection pools together exceed what the server accepts',
  store_config_invalid: 'The settings of the store cannot be used',
  dump_invalid: 'The dump is damaged, cut off, or not one',
} as const

/** What went wrong with a database: see `storeErrors` for what each code means. */
export type StoreErrorCode = keyof typeof storeErrors

/** A failure of the store, identified by `code`; see `storeErrors`. `details` is data for programs, never a secret. */
export class StoreError extends Error {
  readonly code: StoreErrorCode
  readonly details: Readonly<Record<string, unknown>> | undefined
  constructor(
    code: StoreErrorCode,
    message: string,
    options?: ErrorOptions & { readonly details?: Readonly<Record<string, unknown>> },
  ) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
    this.details = options?.details
  }
}

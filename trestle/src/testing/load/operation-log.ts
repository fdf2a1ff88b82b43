import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/** What became of an operation, or of one try of it. */
export type OutcomeKind = 'ok' | 'fail' | 'unknown'

/** One line of an operation log. */
export interface OperationRecord {
  /** `retry` is a try whose outcome is unknown and that is repeated under the same key; the others stand once for each operation. */
  readonly kind: 'invoke' | 'retry' | OutcomeKind
  /** Of the operation; its lines have it in common. */
  readonly id: string
  readonly operation: string
  /** Under which it was asked for: one effect per key. */
  readonly key: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Who did it, when it was somebody. */
  readonly actor?: string
  readonly input?: unknown
  /** What was answered, as far as the operation says it. */
  readonly output?: unknown
  /** Of a failure, or why the outcome is unknown. */
  readonly code?: string
  /** Tries so far. */
  readonly tries?: number
}

/** Takes the records of a load. */
export interface OperationLog {
  write(record: OperationRecord): void
  close(): void
}

/**
 * Writes operations as JSON lines, each before `write` returns: a checker may read while the load runs.
 * @example const log = operationLog('/tmp/operations.jsonl')
 */
export function operationLog(file: string): OperationLog {
  const opened = openSync(file, 'a', 0o600)
  return {
    write: (record) => void writeSync(opened, `${JSON.stringify(record)}\n`),
    close: () => closeSync(opened),
  }
}

/** One operation, all its lines together. */
export interface LoggedOperation {
  readonly id: string
  readonly operation: string
  readonly key: string
  readonly actor: string | undefined
  readonly input: unknown
  /** `unknown`: nobody knows yet, or it was never known. */
  readonly outcome: OutcomeKind
  readonly output: unknown
  readonly code: string | undefined
  readonly invokedAt: number
  readonly endedAt: number | undefined
  readonly tries: number
}

/** Reads a log, also while it is written: a last line that is not whole yet is left for later. */
export function readOperationLog(file: string): readonly LoggedOperation[] {
  const text = readFileSync(file, 'utf8')
  const operations = new Map<string, LoggedOperation>()
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue
    const record = JSON.parse(line) as OperationRecord
    operations.set(record.id, after(operations.get(record.id), record))
  }
  return [...operations.values()]
}

function after(before: LoggedOperation | undefined, record: OperationRecord): LoggedOperation {
  const { id, operation, key, kind, at } = record
  if (before === undefined) {
    if (kind !== 'invoke') throw new Error(`the log tells the end of ${id}, but not its beginning`)
    return {
      id,
      operation,
      key,
      actor: record.actor,
      input: record.input,
      outcome: 'unknown',
      output: undefined,
      code: undefined,
      invokedAt: at,
      endedAt: undefined,
      tries: 0,
    }
  }
  if (before.endedAt !== undefined) throw new Error(`the log tells the end of ${id} twice`)
  const tries = record.tries ?? before.tries
  if (kind === 'retry' || kind === 'invoke') return { ...before, tries, code: record.code }
  return { ...before, tries, outcome: kind, output: record.output, code: record.code, endedAt: at }
}

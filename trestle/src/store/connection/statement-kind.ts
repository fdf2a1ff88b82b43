import type { CompiledQuery } from 'kysely'

/**
 * Where an autocommit statement runs. `read`: on a shared connection, whose sessions are read-only, so that a wrong
 * guess is refused by the database and never writes. `own`: on a connection of its own. `session`: nowhere, because it
 * would change a session that others use.
 */
export type StatementKind = 'read' | 'own' | 'session'

const leadingComment = /^(?:\s+|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/
const sessionWords =
  /^(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare|deallocate|discard|set|reset|listen|unlisten|lock|declare|fetch|move|close)\b/i
const readWords = /^(?:select|values|table|with|show|explain)\b/i
const sessionLock = /\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(/i
const rowLock = /\bfor\s+(?:no\s+key\s+)?(?:update|key\s+share|share)\b/i

export function statementKind({ sql }: Pick<CompiledQuery, 'sql'>): StatementKind {
  const text = sql.replace(leadingComment, '')
  if (sessionWords.test(text) || sessionLock.test(text)) return 'session'
  return readWords.test(text) && !rowLock.test(text) ? 'read' : 'own'
}

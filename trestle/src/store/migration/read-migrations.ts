import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { StoreError } from '../store-error.ts'

export interface Migration {
  readonly number: number
  /** `0001-name.sql` */
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

const fileForm = /^(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.sql$/

/**
 * The migrations of a directory in order.
 * @throws StoreError `migration_invalid` naming the file that has no place in the sequence 0001, 0002, ...
 */
export async function readMigrations(directory: URL): Promise<readonly Migration[]> {
  const base = directory.href.endsWith('/') ? directory : new URL(`${directory.href}/`)
  const names = (await list(base)).filter((name) => name.endsWith('.sql')).toSorted()
  checkNames(names)
  return await Promise.all(
    names.map(async (name) => {
      const sql = (await readFile(new URL(name, base), 'utf8')).replaceAll('\r\n', '\n')
      return { number: Number.parseInt(name, 10), name, sql, checksum: checksumOf(sql) }
    }),
  )
}

export function checksumOf(sql: string): string {
  return createHash('sha256').update(sql).digest('hex')
}

/** Exported for its test. */
export function checkNames(names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    const match = fileForm.exec(name)
    if (match === null) {
      throw invalid(`${name} is not named like 0001-create-orders.sql (four digits, then words in lower case)`)
    }
    const [number, expected] = [Number(match[1]), index + 1]
    if (number < expected)
      throw invalid(`${name} and ${names[index - 1]} have the same number; give one of them the next`)
    if (number > expected) throw invalid(`there is no migration ${String(expected).padStart(4, '0')} before ${name}`)
  }
}

async function list(directory: URL): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    throw new StoreError('migration_invalid', `The migrations at ${directory.pathname} cannot be read`, { cause })
  }
}

function invalid(message: string): StoreError {
  return new StoreError('migration_invalid', message)
}

import { StoreError } from '../store-error.ts'

const nameForm = /^[a-z][a-z0-9_-]{0,47}$/i
const taken = /^(?:pg_|postgres$|template[01]$|trestle_admin$|public$)/i

/** The name of a service's database, which is that of its role. */
export function databaseName(service: string, prefix = ''): string {
  const name = prefix + service
  if (!nameForm.test(name) || taken.test(name)) {
    throw new StoreError(
      'store_config_invalid',
      `${JSON.stringify(name)} cannot be the name of a database: it takes a letter, then up to 47 letters, digits, - and _`,
    )
  }
  return name
}

/** An identifier as SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string as SQL. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

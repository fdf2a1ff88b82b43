import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedOptions, type EmbeddedProvider, embeddedPostgres } from './embedded/embedded-postgres.ts'
import { pathToFileURL } from 'node:url'
import type { StoreLog } from './provider.ts'

/** An embedded server in a directory of its own, for the tests of one file. */
export interface StoreFixture extends AsyncDisposable {
  readonly provider: EmbeddedProvider
  readonly dataDir: string
  /** Writes migrations and returns their directory. */
  migrations(files: Readonly<Record<string, string>>): URL
}

/** A directory that whoever runs the server may enter. */
export function makeTestDir(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'trestle-store-'))
  chmodSync(path, 0o755)
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export function writeMigrations(parent: string, files: Readonly<Record<string, string>>): URL {
  const directory = mkdtempSync(join(parent, 'migrations-'))
  chmodSync(directory, 0o755)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return pathToFileURL(`${directory}/`)
}

export async function startStoreFixture(options: Partial<EmbeddedOptions> = {}): Promise<StoreFixture> {
  const dir = makeTestDir()
  const dataDir = join(dir.path, 'data')
  const provider = await embeddedPostgres({ dataDir, ...options })
  return {
    provider,
    dataDir,
    migrations: (files) => writeMigrations(dir.path, files),
    async [Symbol.asyncDispose]() {
      await provider.close()
      dir.remove()
    },
  }
}

/** A log that remembers. */
export function recordingLog(): StoreLog & { readonly messages: string[] } {
  const messages: string[] = []
  const record = (_fields: unknown, message: string) => void messages.push(message)
  return { messages, info: record, warn: record, error: record }
}

/** Asks again and again until `condition` holds; fails after `timeoutMs`. */
export async function eventually<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 20_000,
): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    if (performance.now() > giveUpAt) throw new Error(`it did not come true within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

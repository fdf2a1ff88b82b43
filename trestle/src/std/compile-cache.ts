import { lstatSync, mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Keeps the compiled form of the code that this process loads, for the next process that loads the same: it halves the
 * CPU of a start. `NODE_COMPILE_CACHE` names another folder, `NODE_DISABLE_COMPILE_CACHE=1` keeps nothing.
 */
export function keepCompiledCode(): void {
  const { NODE_COMPILE_CACHE: folder } = compiledCode()
  if (folder !== undefined) enableCompileCache(folder)
}

/**
 * The same, for a process to be made: in its environment, so that its very first file is not compiled again. Stripping
 * the types of that one file takes 60 ms and 17 MiB.
 */
export function compiledCode(): { readonly NODE_COMPILE_CACHE?: string } {
  const folder = process.env['NODE_COMPILE_CACHE'] ?? ownFolder(tmpdir())
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder }
}

/**
 * A folder for code that will be run must be nobody else's. Node's default is one for all users, made by whoever comes
 * first: others cannot write there, or could write what we run. `undefined` when there is none of our own.
 */
export function ownFolder(temporary: string, user = process.getuid?.()): string | undefined {
  const folder = join(temporary, user === undefined ? 'trestle-compiled' : `trestle-compiled-${user}`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = lstatSync(folder)
    if (!found.isDirectory()) return undefined
    return user === undefined || (found.uid === user && (found.mode & 0o022) === 0) ? folder : undefined
  } catch {
    return undefined
  }
}

import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../store-error.ts'
import { randomHex } from '../../std/ids.ts'
import { processIdentity } from './process-identity.ts'

/** Who owns a data directory. */
export interface Owner {
  readonly pid: number
  readonly identity: string
  /** ISO 8601. */
  readonly since: string
  /** What the owner says about itself: where its gateway listens, for instance. */
  readonly addresses: Readonly<Record<string, string>>
}

export interface OwnerLock {
  /** Publishes addresses for whoever finds the directory taken. */
  announce(addresses: Readonly<Record<string, string>>): void
  release(): void
}

const fileForm = /^owner\.(\d+)\.json$/

/**
 * Takes a directory for this process, or for this object of it. The claim ends with the process, however it ends,
 * because it names the process's very run.
 *
 * Each claim is a file with the next number, made by `link`, which fails where the name exists: of two who find the
 * same dead owner, one gets the number. A latecomer that gets a number below the highest gives it back.
 * @throws StoreError `already_running` with `details` pid, since and addresses; `embedded_failed`: it cannot be written to
 */
export function claimDirectory(directory: string, now: () => number): OwnerLock {
  try {
    mkdirSync(directory, { recursive: true })
    return claimNext(directory, now)
  } catch (error) {
    if (error instanceof StoreError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new StoreError('embedded_failed', `Nothing can be written to ${directory}: ${reason}`, { cause: error })
  }
}

function claimNext(directory: string, now: () => number): OwnerLock {
  const identity = processIdentity(process.pid) ?? String(process.pid)
  const owner: Owner = { pid: process.pid, identity, since: new Date(now()).toISOString(), addresses: {} }
  const draft = join(directory, `owner-draft-${randomHex(8)}`)
  try {
    writeFileSync(draft, JSON.stringify(owner), { mode: 0o644 })
    for (;;) {
      const highest = claims(directory).at(-1)
      const living = highest === undefined ? undefined : livingOwner(highest.file)
      if (living !== undefined) throw alreadyRunning(directory, living)
      const number = (highest?.number ?? 0) + 1
      const file = join(directory, `owner.${number}.json`)
      if (!tryLink(draft, file)) continue
      if (claims(directory).at(-1)?.number === number) return held(directory, file, number, owner)
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Who owns the directory now. */
export function currentOwner(directory: string): Owner | undefined {
  const highest = claims(directory).at(-1)
  return highest === undefined ? undefined : livingOwner(highest.file)
}

function held(directory: string, file: string, number: number, owner: Owner): OwnerLock {
  for (const claim of claims(directory)) if (claim.number < number) rmSync(claim.file, { force: true })
  let released = false
  return {
    announce(addresses) {
      if (released) return
      const draft = `${file}.${randomHex(4)}`
      writeFileSync(draft, JSON.stringify({ ...owner, addresses }), { mode: 0o644 })
      renameSync(draft, file)
    },
    release() {
      released = true
      rmSync(file, { force: true })
    },
  }
}

function claims(directory: string): { readonly number: number; readonly file: string }[] {
  return namesIn(directory)
    .map((name) => ({ number: Number(fileForm.exec(name)?.[1] ?? 0), file: join(directory, name) }))
    .filter(({ number }) => number > 0)
    .toSorted((a, b) => a.number - b.number)
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function livingOwner(file: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Owner
    return processIdentity(owner.pid) === owner.identity ? owner : undefined
  } catch {
    // Gone in the meantime, or cut off by a crash of the machine: nobody alive has written it.
    return undefined
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function alreadyRunning(directory: string, { pid, since, addresses }: Owner): StoreError {
  const where = Object.entries(addresses).map(([name, address]) => `${name} ${address}`)
  return new StoreError(
    'already_running',
    [`Process ${pid} has been running on ${directory} since ${since}`, ...where].join(', '),
    { details: { pid, since, addresses } },
  )
}

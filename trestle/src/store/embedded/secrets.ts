import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { adminRole } from './init-cluster.ts'

/** Generated passwords by role, kept in a file that only the owner of the directory may read. */
export class Secrets {
  readonly #file: string

  constructor(home: string) {
    this.#file = join(home, 'secrets.json')
  }

  get admin(): string {
    return this.passwordOf(adminRole)
  }

  /** The password of a role, made when it is asked for the first time. */
  passwordOf(role: string): string {
    const known = this.#read()
    const existing = known[role]
    if (existing !== undefined) return existing
    const password = randomBytes(24).toString('base64url')
    this.#write({ ...known, [role]: password })
    return password
  }

  #read(): Record<string, string> {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as Record<string, string>
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
      throw error
    }
  }

  #write(secrets: Record<string, string>): void {
    const draft = `${this.#file}.${process.pid}`
    writeFileSync(draft, JSON.stringify(secrets), { mode: 0o600, flush: true })
    chmodSync(draft, 0o600)
    renameSync(draft, this.#file)
  }
}

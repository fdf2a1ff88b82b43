import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** A program taken from Debian's packages, without installing it. */
export interface Program {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
}

const cache = join(import.meta.dirname, '../../node_modules/.cache/trestle-bench')
const libraries = [
  'lib/x86_64-linux-gnu',
  'lib/aarch64-linux-gnu',
  'usr/lib/x86_64-linux-gnu',
  'usr/lib/aarch64-linux-gnu',
]

/**
 * Fetches packages with `apt-get download` and unpacks them beside node_modules; nothing on the machine changes.
 * @param program where the program lies in them
 * @throws Error with what apt-get said
 */
export function fromDebian(packages: readonly string[], program: string): Program {
  const root = join(cache, packages[0] as string)
  if (!existsSync(root)) {
    const fresh = `${root}.${process.pid}`
    mkdirSync(fresh, { recursive: true })
    try {
      run('apt-get', ['download', ...packages], fresh)
      for (const file of readdirSync(fresh).filter((name) => name.endsWith('.deb'))) {
        run('dpkg', ['-x', file, '.'], fresh)
        rmSync(join(fresh, file))
      }
      renameSync(fresh, root)
    } finally {
      rmSync(fresh, { recursive: true, force: true })
    }
  }
  return { path: join(root, program), env: { LD_LIBRARY_PATH: libraries.map((one) => join(root, one)).join(':') } }
}

function run(command: string, args: readonly string[], cwd: string): void {
  try {
    execFileSync(command, args, { cwd, stdio: 'pipe' })
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim().split('\n').at(-1)
    throw new Error(`${command} failed${said === undefined ? '' : `: ${said}`}`, { cause: error })
  }
}

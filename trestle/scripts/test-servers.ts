/**
 * `npm run test:servers`: runs what needs servers that npm does not have, `*.servers.test.ts`. Its exit status is 75 when
 * a server could not be had, so that nothing was tested.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = new URL('../..', import.meta.url).pathname
const cache = join(root, 'node_modules/.cache/trestle-servers')
/** The server and the libraries that a small Debian does not have. */
const packages = ['redis-server', 'redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1']

const found = redisServer()
const result = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    'vitest.servers.config.ts',
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ...found } },
)
process.exit(result.status ?? 1)

/** The installed program, or one unpacked from Debian's packages: nothing is installed on the machine. */
function redisServer(): NodeJS.ProcessEnv {
  if (spawnSync('redis-server', ['--version']).status === 0) return { TRESTLE_TEST_REDIS_SERVER: 'redis-server' }
  const unpacked = join(cache, 'redis')
  const program = join(unpacked, 'usr/bin/redis-server')
  const [libraries = ''] = globSync(join(unpacked, 'usr/lib/*-linux-gnu*'))
  const env = { TRESTLE_TEST_REDIS_SERVER: program, LD_LIBRARY_PATH: libraries }
  if (existsSync(program)) return env
  rmSync(cache, { recursive: true, force: true })
  mkdirSync(unpacked, { recursive: true })
  // A machine that has just been made has no lists of packages.
  if (!ran('apt-get', ['download', ...packages])) {
    ran('apt-get', ['update'])
    if (!ran('apt-get', ['download', ...packages])) notObtained()
  }
  for (const file of globSync(join(cache, '*.deb'))) if (!ran('dpkg', ['-x', file, unpacked])) notObtained()
  return redisServer()
}

function ran(command: string, args: readonly string[]): boolean {
  const { status, error } = spawnSync(command, args, { cwd: cache, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) console.error(`${command} ${args[0]} failed${error === undefined ? '' : `: ${error.message}`}`)
  return status === 0
}

/** Told apart from tests that fail: nothing was tested. */
function notObtained(): never {
  console.error('There is no redis-server, and it could not be fetched. Install it and try again.')
  process.exit(75)
}

/** `npm run test:servers`: runs what needs servers that npm does not have, `*.servers.test.ts`. */
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
  run('apt-get', ['download', ...packages])
  for (const file of globSync(join(cache, '*.deb'))) run('dpkg', ['-x', file, unpacked])
  return redisServer()
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: cache, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status === 0) return
  console.error(`${command} ${args.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}.`)
  console.error('Install redis-server, or run `apt-get update` and try again.')
  process.exit(1)
}

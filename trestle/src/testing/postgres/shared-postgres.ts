import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StoreProvider } from '../../store/index.ts'
import { serverPostgres } from '../../store/server/server-postgres.ts'
import { dialKeeper } from './keeper-socket.ts'

/** Fresh databases on a server that all tests of this installation share. `close` lets them be dropped. */
export type TestStores = StoreProvider

/** The keeper makes a database directory first: this long may it take, milliseconds. */
const keeperTimeoutMs = 60_000
const retryMs = 50

const keeperEntry = fileURLToPath(
  new URL(`./keeper${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
)

let shared: Promise<{ readonly socket: Socket; readonly url: string }> | undefined

/** Makes a set of databases that nobody else uses. The server is started when there is none, and goes by itself. */
export async function testStores(): Promise<TestStores> {
  shared ??= connectToKeeper()
  const { socket, url } = await shared
  const prefix = `t${randomBytes(5).toString('hex')}_`
  socket.write(`${JSON.stringify({ use: prefix })}\n`)
  const provider = await serverPostgres({ url, prefix })
  return {
    ...provider,
    description: 'PostgreSQL shared by the tests',
    async close() {
      await provider.close()
      socket.write(`${JSON.stringify({ drop: prefix })}\n`)
    },
  }
}

async function connectToKeeper() {
  const home = await keeperHome()
  const deadline = performance.now() + keeperTimeoutMs
  for (let tries = 0; performance.now() < deadline; tries++) {
    const socket = await dialKeeper(home)
    const hello = socket === undefined ? undefined : await greeting(socket)
    if (socket !== undefined && hello !== undefined) {
      socket.unref()
      return { socket, url: hello }
    }
    // A keeper that was just leaving may have been met: now and then another one is started.
    if (tries % 40 === 0) startKeeper(home)
    await new Promise((resolve) => setTimeout(resolve, retryMs))
  }
  throw new Error(`no PostgreSQL for the tests within ${keeperTimeoutMs} ms`)
}

/** The first line: where the server is. `undefined`: the keeper went away. */
async function greeting(socket: Socket): Promise<string | undefined> {
  socket.on('error', () => {})
  let text = ''
  for (;;) {
    const [chunk] = (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [])])) as [Buffer?]
    if (chunk === undefined) return undefined
    text += chunk.toString()
    if (text.includes('\n')) return (JSON.parse(text) as { url: string }).url
  }
}

function startKeeper(home: string): void {
  spawn(process.execPath, [keeperEntry, home], { detached: true, stdio: 'ignore' }).unref()
}

/**
 * One for every installation: a server whose programs lie in another one loses them with it.
 * The server's own user must be able to pass through, others may not look into `private`.
 */
async function keeperHome(): Promise<string> {
  const { uid } = userInfo()
  const installation = createHash('sha256').update(keeperEntry).digest('hex').slice(0, 8)
  const home = join(tmpdir(), `trestle-test-${uid}-${installation}`)
  await mkdir(home, { recursive: true, mode: 0o711 })
  await mkdir(join(home, 'private'), { recursive: true, mode: 0o700 })
  const { uid: owner } = await lstat(home)
  if (uid !== -1 && owner !== uid) throw new Error(`${home} belongs to somebody else`)
  return home
}

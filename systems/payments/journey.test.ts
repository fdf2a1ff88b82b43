import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

const command = fileURLToPath(import.meta.resolve('trestle/package.json').replace(/package\.json$/, 'bin/trestle.js'))
const folder = fileURLToPath(new URL('.', import.meta.url))
const hasCurl = spawnSync('curl', ['--version']).status === 0

describe('the payment system as `trestle start` runs it', () => {
  let child: ChildProcess
  let dataDir: string
  let url: string
  let said = ''
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'payments-journey-'))
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    child = spawn(process.execPath, [command, 'start', folder, '--topology', 'merged'], {
      env: {
        ...process.env,
        TRESTLE_DATA_DIR: dataDir,
        TRESTLE_GATEWAY_PORT: String(port),
        TRESTLE_ADMIN_PORT: '0',
        TRESTLE_LOG_LEVEL: 'debug',
        WALLETS_PASSWORD_BLOCKS: '1024',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        said += chunk.toString()
      })
    }
    const isReady = async () => expect((await fetch(`${url}/readyz`)).status).toBe(200)
    await vi.waitFor(isReady, { timeout: 100_000, interval: 50 })
  })
  afterAll(async () => {
    await ended(child)
    await rm(dataDir, { recursive: true, force: true })
  })

  it.skipIf(!hasCurl)('does what its README shows, and writes no secret into its log', async () => {
    const readme = await readFile(new URL('./README.md', import.meta.url), 'utf8')
    const journey = /^pay=http[^]*?(?=^```)/m.exec(readme)?.[0] ?? ''
    expect(journey.match(/\bcurl\b/g)?.length).toBeGreaterThan(9)
    const ending = '\necho; echo "token $token"; echo "ada $ada"; echo "capture $capture"\n'
    const script = journey.replaceAll('http://127.0.0.1:4100', url) + ending
    const { stdout } = await promisify(execFile)('sh', ['-c', script])
    const value = (name: string) => new RegExp(`^${name} (\\S+)$`, 'm').exec(stdout)?.[1] ?? 'nothing'
    expect(value('capture')).toMatch(/^[0-9a-f-]{36}$/)
    const entries = stdout.split('\n').findLast((line) => line.includes('"items"')) ?? ''
    expect(entries).toMatch(/"type":"CREDIT","amount":\{"currency_code":"GBP","value":"19.99"\}/)
    expect(entries).toMatch(/"type":"DEBIT","amount":\{"currency_code":"GBP","value":"5.00"\}/)

    await ended(child)
    // The log was read, and the requests are in it.
    expect(said).toContain('"operation":"orders.refundCapture"')
    const secrets = [value('token'), value('ada'), 'store-development-secret', 'correct horse battery']
    for (const secret of secrets) expect(said).not.toContain(secret)
    expect(secrets[0]).toMatch(/^client_/)
    expect(secrets[1]).toMatch(/^payer_/)
  })
})

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await exit
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

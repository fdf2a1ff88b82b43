import { existsSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { copyTiny } from './fixtures/copy-tiny.ts'
import { gateway } from '../gateway/index.ts'
import { oneProcess, startSystem, system } from './index.ts'

const tiny = new URL('./fixtures/tiny/system.ts', import.meta.url)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function childrenOf(pid: number): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter((each) => each !== '')
}

describe('the processes of a split system', () => {
  it('find no database of others in their environment, and do not outlive a parent that was killed', async () => {
    const entry = fileURLToPath(new URL('./fixtures/parent.ts', import.meta.url))
    const env = {
      ...process.env,
      TRESTLE_STORE_PAYROLL_URL: 'postgresql://payroll:hunter2@127.0.0.1/payroll',
      KEPT: 'kept',
    }
    const parent = spawn(process.execPath, [entry], { stdio: ['ignore', 'pipe', 'inherit'], env })
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string]
    const { pids } = JSON.parse(line) as { pids: number[] }
    expect(pids).toHaveLength(3)
    expect(pids.every(isAlive)).toBe(true)
    const readable = process.platform === 'linux' ? pids : []
    const environments = await Promise.all(readable.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8')))
    expect(environments.filter((each) => !each.includes('KEPT=kept') || each.includes('PAYROLL'))).toEqual([])
    parent.kill('SIGKILL')
    await expect.poll(() => pids.filter(isAlive), { timeout: 10_000, interval: 50 }).toEqual([])
  })

  it.each(['split', 'merged'])(
    'are gone when a start is ended in the middle, and so is the database (%s)',
    async (topology) => {
      await using code = await copyTiny()
      await code.edit(
        'greeter.ts',
        'handlers: {',
        "start: async ({ progress, signal }) => {\n    progress('loading')\n    signal.throwIfAborted()\n    await new Promise((_, end) => signal.addEventListener('abort', () => end(signal.reason)))\n  },\n  handlers: {",
      )
      const dataDir = await mkdtemp(join(tmpdir(), 'trestle-ended-'))
      // Where the database's user cannot pass, the data would lie elsewhere.
      await chmod(dataDir, 0o755)
      const ending = new AbortController()
      const started = startSystem({
        systemUrl: code.url,
        topology,
        gatewayPort: 0,
        dataDir,
        logLevel: 'silent',
        signal: ending.signal,
        progress: (service) => void (service === 'greeter' && ending.abort()),
      })
      await expect(started).rejects.toMatchObject({ name: 'AbortError' })
      expect(await childrenOf(process.pid)).toEqual([])
      const left = ['PG_VERSION', 'postmaster.pid'].filter((file) =>
        existsSync(join(dataDir, 'postgres', 'cluster', file)),
      )
      expect(left).toEqual(['PG_VERSION'])
      await rm(dataDir, { recursive: true })
    },
  )

  it('are ended when the gateway cannot be, which is said in its own words', async () => {
    const edge = gateway({ routes: [], hosts: ['*.*.example'] })
    const dataDir = await mkdtemp(join(tmpdir(), 'trestle-refused-'))
    const started = startSystem({
      system: system('shut', { services: [], gateway: edge, topologies: { merged: oneProcess() } }),
      gatewayPort: 0,
      dataDir,
      logLevel: 'silent',
    })
    await expect(started).rejects.toMatchObject({
      code: 'system_invalid',
      message: expect.stringMatching(/^gateway: "\*\.\*\.example" is no host name/),
    })
    await rm(dataDir, { recursive: true })
  })

  it('are not even started when the port of the gateway is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const dataDir = await mkdtemp(join(tmpdir(), 'trestle-busy-'))
    const started = startSystem({ systemUrl: tiny, topology: 'split', gatewayPort: port, dataDir, logLevel: 'silent' })
    await expect(started).rejects.toMatchObject({
      code: 'port_in_use',
      message: `the gateway cannot listen on 127.0.0.1:${port}: another process listens there; set TRESTLE_GATEWAY_PORT`,
    })
    await rm(dataDir, { recursive: true })
    other.close()
  })
})

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startSystem } from './index.ts'

const tiny = new URL('./fixtures/tiny/system.ts', import.meta.url)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
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

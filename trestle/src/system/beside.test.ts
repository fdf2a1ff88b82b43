import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { beside, startSystem, system, type StartOptions } from './index.ts'
import { gateway } from '../gateway/index.ts'
import { oneProcess } from './index.ts'

const asking = new URL('./fixtures/beside/system.ts', import.meta.url)

interface Answer {
  readonly pid: number
  readonly beside: number
  readonly ownUrl: string
}

async function started(options: Partial<StartOptions> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'trestle-beside-'))
  try {
    const running = await startSystem({
      systemUrl: asking,
      dataDir,
      gatewayPort: 0,
      env: {},
      logLevel: 'silent',
      ...options,
    })
    return {
      running,
      ask: async (): Promise<Answer> => (await (await fetch(`${running.gatewayUrl}/ask`)).json()) as Answer,
      async [Symbol.asyncDispose]() {
        await running.stop()
        await rm(dataDir, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true })
    throw error
  }
}

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a system beside another', () => {
  it.each(['merged', 'split'])(
    'is started with it in a process of its own, found, and ended with it (%s)',
    async (topology) => {
      let other: number
      {
        await using asker = await started({ topology })
        const answer = await asker.ask()
        expect(answer.beside).not.toBe(answer.pid)
        expect(answer.ownUrl).toBe(asker.running.gatewayUrl)
        const { beside: others } = await asker.running.describe()
        expect(others).toMatchObject([{ name: 'echo', pids: [answer.beside] }])
        other = answer.beside
        expect(isAlive(other)).toBe(true)
      }
      expect(isAlive(other)).toBe(false)
      expect(process.env['ECHO_URL']).toBeUndefined()
    },
  )

  it('is started again when it is killed', async () => {
    await using asker = await started()
    const { beside: first } = await asker.ask()
    process.kill(first, 'SIGKILL')
    await expect
      .poll(async () => (await asker.ask().catch(() => undefined))?.beside ?? first, { timeout: 30_000, interval: 100 })
      .not.toBe(first)
  })

  it('is not started when the environment says where it runs', async () => {
    await using first = await started()
    const url = (await first.running.describe()).beside[0]?.url ?? ''
    const { beside: pid } = await first.ask()
    await using second = await started({ env: { ECHO_URL: url } })
    expect((await second.ask()).beside).toBe(pid)
    expect((await second.running.describe()).beside).toEqual([
      { name: 'echo', url, where: 'elsewhere, as ECHO_URL says', pids: [] },
    ])
  })

  it('that does not start is named, and nothing is left', async () => {
    const missing = system('lonely', {
      beside: {
        gone: beside(new URL('./fixtures/beside/none.ts', import.meta.url), { port: 4_999, variable: 'GONE_URL' }),
      },
      services: [],
      gateway: gateway({ routes: [] }),
      topologies: { merged: oneProcess() },
    })
    const failed = mkdtemp(join(tmpdir(), 'trestle-beside-')).then((dataDir) =>
      startSystem({ system: missing, dataDir, gatewayPort: 0, env: {}, logLevel: 'silent' }),
    )
    await expect(failed).rejects.toMatchObject({
      code: 'service_failed',
      message: expect.stringMatching(
        /^gone, which runs beside this system: it exited with code \d+ before it was ready/,
      ),
    })
    expect(process.env['GONE_URL']).toBeUndefined()
  })

  it('is said to be in the way of another, with the variable that makes one of the two, when its port is taken', async () => {
    const [taken, free] = [createServer(), createServer()]
    const [port, gatewayPort] = [await portOf(taken), await portOf(free)]
    free.close()
    const second = system('second', {
      beside: { other: beside(new URL('./fixtures/beside/none.ts', import.meta.url), { port, variable: 'OTHER_URL' }) },
      services: [],
      gateway: gateway({ routes: [] }),
      topologies: { merged: oneProcess() },
    })
    const dataDir = await mkdtemp(join(tmpdir(), 'trestle-beside-'))
    await expect(
      startSystem({ system: second, dataDir, gatewayPort, env: {}, logLevel: 'silent' }),
    ).rejects.toMatchObject({
      code: 'port_in_use',
      message: expect.stringContaining(
        `127.0.0.1:${port}: another process listens there; set OTHER_URL to its address`,
      ),
    })
    taken.close()
    await rm(dataDir, { recursive: true, force: true })
  })

  it('ends when the process that started it is killed', async () => {
    const program = new URL('../../bin/trestle.js', import.meta.url).pathname
    const dataDir = await mkdtemp(join(tmpdir(), 'trestle-beside-'))
    const env = { ...process.env, TRESTLE_DATA_DIR: dataDir, TRESTLE_GATEWAY_PORT: '0', TRESTLE_ADMIN_PORT: '0' }
    const parent = spawn(process.execPath, [program, 'start', asking.pathname, '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let said = ''
    for await (const text of parent.stdout.setEncoding('utf8')) {
      said += String(text)
      if (said.trimEnd().endsWith('\n}')) break
    }
    const { beside: others } = JSON.parse(said) as { beside: { pids: number[] }[] }
    const [pid = 0] = others[0]?.pids ?? []
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    await expect.poll(() => isAlive(pid), { timeout: 30_000, interval: 100 }).toBe(false)
    await rm(dataDir, { recursive: true, force: true })
  })

  it.each([
    { port: 0, variable: 'OTHER_URL' },
    { port: 4_100, variable: 'other url' },
  ])('is refused with the port $port and the variable $variable', (options) => {
    expect(() => beside(asking, options)).toThrow(TypeError)
  })
})

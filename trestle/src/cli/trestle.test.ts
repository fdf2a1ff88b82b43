import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SystemStatus } from '../call/operator.ts'
import { runSpawned, type Said, spawnCli, type Spawned } from './fixtures/spawned-cli.ts'

const tiny = fileURLToPath(new URL('../system/fixtures/tiny/', import.meta.url))

describe('the program, with a system that runs', () => {
  let dataDir = ''
  let started: Spawned
  let gateway = ''
  const env = () => ({
    TRESTLE_DATA_DIR: dataDir,
    TRESTLE_GATEWAY_PORT: '0',
    TRESTLE_ADMIN_PORT: '0',
    TRESTLE_LOG_LEVEL: 'warn',
  })
  const trestle = (...args: readonly string[]): Promise<Said> => runSpawned(args, tiny, env())
  const pidsOf = async (service: string) => {
    const { out } = await trestle('ps', '--json')
    const status = JSON.parse(out) as SystemStatus
    return status.services.find((one) => one.service === service)?.processes.map(({ pid }) => pid) ?? []
  }

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'trestle-cli-'))
    // Where the database's user cannot pass, the data would lie elsewhere and stay behind.
    await chmod(dataDir, 0o755)
    started = spawnCli(['start'], tiny, env())
    gateway = (await started.waitFor(/^Gateway +(http:\S+)/m))[1] ?? ''
    await started.waitFor(/^Stop/m)
  })

  afterAll(async () => {
    started.child.kill('SIGTERM')
    await started.ended
    await rm(dataDir, { recursive: true, force: true })
  })

  it('has said what runs where, and a line to try', async () => {
    const { out } = started.said
    expect(out).toMatch(/^tiny runs \(topology split\), started in [\d.]+ s$/m)
    expect(out).toMatch(/^counter +1\.0\.0 +its own process +\d+$/m)
    expect(out).toMatch(/^Admin +http:\/\/127\.0\.0\.1:\d+/m)
    expect(out).toMatch(/^Databases +PostgreSQL 18, embedded, data in /m)
    const url = /^Try +curl '([^']+)'$/m.exec(out)?.[1] ?? ''
    expect((await fetch(url)).status).toBe(200)
  })

  it('refuses a second start and says where the first one is', async () => {
    const { status, err } = await trestle('start')
    expect(status).toBe(4)
    expect(err).toContain(`tiny runs already: gateway ${gateway}, admin http://127.0.0.1:`)
  })

  it('shows what runs, for people and for programs', async () => {
    const table = await trestle('ps')
    expect(table.status).toBe(0)
    expect(table.out).toMatch(/^SERVICE +VERSION +STATE +REPLICAS +PID/m)
    expect(table.out).toMatch(/^greeter +1\.2\.0 +ready +1\/1 +\d+/m)
    expect(await pidsOf('gateway')).toHaveLength(1)
  })

  it('scales one service', async () => {
    expect(await trestle('scale', 'counter=2')).toMatchObject({ status: 0, out: 'counter runs in 2 processes\n' })
    expect(await pidsOf('counter')).toHaveLength(2)
    expect(await pidsOf('greeter')).toHaveLength(1)
    const { status, out } = await trestle('scale', 'counter=1', '--json')
    expect(status).toBe(0)
    expect(JSON.parse(out)).toMatchObject([{ service: 'counter', replicas: 1 }])
  })

  it('restarts and deploys one service: its processes are others, those of the rest are the same', async () => {
    for (const verb of ['restart', 'deploy']) {
      const before = [await pidsOf('greeter'), await pidsOf('counter')]
      expect((await trestle(verb, 'greeter')).status).toBe(0)
      expect(await pidsOf('greeter')).not.toEqual(before[0])
      expect(await pidsOf('counter')).toEqual(before[1])
    }
  })

  it('stops a service, whose routes then say so, and starts it again', async () => {
    expect((await trestle('stop', 'counter')).status).toBe(0)
    expect((await fetch(`${gateway}/counts/first`)).status).toBe(503)
    expect((await fetch(`${gateway}/hello`)).status).toBe(200)
    expect(await trestle('start', 'counter')).toMatchObject({ status: 0, out: 'counter runs again\n' })
    expect((await fetch(`${gateway}/counts/first`)).status).toBe(200)
  })

  it('calls an operation with input typed by its contract', async () => {
    const { status, out } = await trestle('call', 'counter.set', 'name=tea', 'value=3', '--json')
    expect(status).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ name: 'tea', value: 3 })
    const once = await trestle('call', 'counter.addOnce', '--input', '{"name":"tea"}', '--key', 'k1', '--as', 'user:7')
    expect(JSON.parse(once.out)).toMatchObject({ value: 4 })
  })

  it('prints the problem of a call that failed', async () => {
    const unknown = await trestle('call', 'counter.read', 'name=nobody')
    expect(unknown).toMatchObject({ status: 5, out: '' })
    expect(unknown.err).toContain('no_such_count (404)')
    const invalid = await trestle('call', 'counter.set', 'name=tea', 'value=three')
    expect(invalid.status).toBe(5)
    expect(invalid.err).toMatch(/invalid_input \(400\)[^]*\/value/)
  })

  it.each([
    [['scale', 'nobody=2'], "there is no service 'nobody'"],
    [['scale', 'counter=0'], 'from 1 to 64'],
    [['start', 'nobody'], "there is no service 'nobody'"],
    [['start', './nowhere'], 'there is no system at ./nowhere'],
    [['call', 'counter.nothing'], 'Operations of counter: read'],
    [['call', 'nobody.read'], 'Contracts: greeter@1, counter@1'],
  ])('refuses %j with a sentence and status 2', async (args, sentence) => {
    const { status, err } = await trestle(...args)
    expect(err).toContain(sentence)
    expect(status).toBe(2)
  })

  it('reaches the databases of the running system', async () => {
    const migrated = await trestle('migrate', '--json')
    expect(JSON.parse(migrated.out)).toEqual([{ service: 'counter', applied: [] }])
    const { out } = await trestle('store', 'url', 'counter')
    expect(out).toMatch(/^postgresql:\/\/counter:[^@]+@/)
    expect((await trestle('store', 'url', 'greeter')).err).toContain('Services with a store: counter')
  })

  it('dumps, resets and loads the database of a service', async () => {
    const file = join(dataDir, 'counter.dump')
    await trestle('call', 'counter.set', 'name=dumped', 'value=9')
    expect((await trestle('store', 'dump', 'counter', '-o', file)).status).toBe(0)
    expect((await trestle('store', 'reset', 'counter')).err).toContain('add --yes')
    await trestle('call', 'counter.set', 'name=dumped', 'value=1')
    expect((await trestle('store', 'load', 'counter', file)).status).toBe(0)
    const { out } = await trestle('call', 'counter.read', 'name=dumped', '--json')
    expect(JSON.parse(out)).toMatchObject({ value: 9 })
  })
})

describe('the program, without a running system', () => {
  let dataDir = ''
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'trestle-cli-'))
  })
  afterAll(() => rm(dataDir, { recursive: true, force: true }))
  const trestle = (...args: readonly string[]): Promise<Said> =>
    runSpawned(args, tiny, { TRESTLE_DATA_DIR: dataDir, TRESTLE_GATEWAY_PORT: '0', TRESTLE_ADMIN_PORT: '0' })

  it('says that nothing runs, and what to do', async () => {
    const { status, out, err } = await trestle('ps')
    expect({ status, out }).toEqual({ status: 3, out: '' })
    expect(err).toContain(`no system runs with the data directory ${dataDir}`)
    expect(err).toContain('trestle start')
  })

  it('prints routes, OpenAPI and AsyncAPI of a system without starting it', async () => {
    expect((await trestle('routes')).out).toMatch(/^GET +\/counts\/\{name\} +all +counter\.read +anyone +-$/m)
    expect(JSON.parse((await trestle('routes', '--json')).out)).toHaveLength(6)
    const document = JSON.parse((await trestle('openapi')).out) as { openapi: string; paths: object }
    expect(document.openapi).toMatch(/^3\.1/)
    expect(Object.keys(document.paths)).toContain('/counts/{name}')
    expect(JSON.parse((await trestle('asyncapi')).out)).toMatchObject({ info: { title: 'tiny' } })
  })

  it('shows the settings and where they come from', async () => {
    const { out } = await trestle('config', '--json')
    expect(JSON.parse(out)).toContainEqual({ name: 'TRESTLE_DATA_DIR', value: dataDir, from: 'environment' })
  })

  it('names the topologies when there is no such one', async () => {
    const { status, err } = await trestle('start', '--topology', 'nowhere')
    expect(status).toBe(2)
    expect(err).toContain('Topologies: merged, split, pair')
  })
})

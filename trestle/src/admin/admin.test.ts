import { readFile, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { local, split } from '../testing/index.ts'
import { connectAdmin, startAdmin } from './index.ts'

const foreign = new URL('../system/fixtures/foreign/system.ts', import.meta.url)
const tiny = new URL('../system/fixtures/tiny/system.ts', import.meta.url)

async function adminOf(dataDir: string) {
  const path = join(dataDir, 'admin.json')
  const file = JSON.parse(await readFile(path, 'utf8')) as { adminUrl: string; token: string; pid: number }
  return { ...file, mode: (await stat(path)).mode & 0o777 }
}

/** `fetch` does not let a caller choose the Host. */
function statusFor(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, agent: false }, (reply) => {
      reply.resume()
      resolve(reply.statusCode)
    })
    sent.on('error', reject)
    sent.end()
  })
}

describe('the admin listener', () => {
  it('answers on the loopback to the token of its start, and to nobody else', async () => {
    await using system = await local.start(tiny, { admin: startAdmin })
    const { adminUrl, token, pid, mode } = await adminOf(system.dataDir)
    expect(mode).toBe(0o600)
    expect(pid).toBe(process.pid)
    expect(await statusFor(`${adminUrl}/status`, { authorization: `Bearer ${token}` })).toBe(200)
    expect(await statusFor(`${adminUrl}/status`, {})).toBe(401)
    expect(await statusFor(`${adminUrl}/status`, { authorization: `Bearer ${token}x` })).toBe(401)
    expect(await statusFor(`${adminUrl}/status`, { authorization: `Bearer ${token}`, host: 'evil.example' })).toBe(421)
    expect(await statusFor(`${adminUrl}/metrics`, { host: 'evil.example' })).toBe(421)
    expect(await statusFor(`${adminUrl}/livez`, {})).toBe(200)
    expect(await statusFor(`${adminUrl}/readyz`, {})).toBe(200)
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text()
    expect(metrics).toMatch(/process_resident_memory_bytes\{process="tiny"/)
  })

  it('lets another process of the user operate the system', async () => {
    await using system = await local.start(tiny, { admin: startAdmin })
    const admin = await connectAdmin({ dataDir: system.dataDir })
    const operator = admin?.operator
    expect((await operator?.status())?.services.map((each) => each.service)).toEqual(['greeter', 'counter', 'gateway'])
    expect(await operator?.readiness()).toEqual({ ready: true, waitingFor: [] })
    expect(await operator?.call({ contract: 'greeter', operation: 'count', input: { name: 'first' } })).toMatchObject({
      ok: true,
      status: 200,
      body: { kind: 'value', value: { name: 'first', value: 1 } },
    })
    expect(await operator?.call({ contract: 'counter', operation: 'read', input: { name: 'x' } })).toMatchObject({
      ok: false,
      problem: { code: 'no_such_count', declared: true },
    })
    expect(await operator?.call({ contract: 'counter', operation: 'nothing', input: {} })).toMatchObject({
      ok: false,
      problem: { code: 'not_found', detail: expect.stringContaining('it has read, set') },
    })
    await expect(operator?.scale('counter', 2)).rejects.toMatchObject({
      code: 'not_separable',
      message: expect.stringContaining('all services share one process'),
    })
    await expect(operator?.deploy('nobody')).rejects.toMatchObject({ code: 'unknown_service' })
    await admin?.close()
  })

  it.each([local, split])('carries replies of bytes and of nothing, on the runner %s', async (runner) => {
    await using system = await runner.start(foreign, { admin: startAdmin })
    const admin = await connectAdmin({ dataDir: system.dataDir })
    const call = (operation: string) => admin?.operator.call({ contract: 'prices', operation, input: {} })
    expect(await call('label')).toEqual({
      ok: true,
      status: 200,
      body: { kind: 'bytes', bytes: Buffer.from([0x89, 0x50, 0xff, 0]), contentType: 'image/png' },
    })
    expect(await call('forget')).toEqual({ ok: true, status: 204, body: { kind: 'empty' } })
    await admin?.close()
  })

  it('is not there when no system runs', async () => {
    const system = await local.start(tiny, { admin: startAdmin })
    await system.stop()
    expect(await connectAdmin({ dataDir: system.dataDir })).toBeUndefined()
  })

  it('scales a service of a split system, with the measurements of every process in one text', async () => {
    await using system = await split.start(tiny, { admin: startAdmin })
    const admin = await connectAdmin({ dataDir: system.dataDir })
    expect(await admin?.operator.scale('counter', 2)).toEqual({ group: 'counter', services: ['counter'], replicas: 2 })
    const metrics = (await admin?.operator.metrics()) ?? ''
    for (const process of ['supervisor', 'counter-1', 'counter-2', 'greeter-1', 'gateway-1']) {
      expect(metrics).toContain(`process="${process}"`)
    }
    expect(metrics.match(/# TYPE process_resident_memory_bytes/g)).toHaveLength(1)
    await admin?.close()
  })
})

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startAdmin } from '../../admin/index.ts'
import { local } from '../../testing/index.ts'

const priced = new URL('../../access/fixtures/priced/system.ts', import.meta.url)

describe('the admin listener', () => {
  it('case 8: a fresh install has it on the loopback only and with a token made for it', async () => {
    await using system = await local.start(priced, { admin: startAdmin })
    const { adminUrl, token } = JSON.parse(await readFile(join(system.dataDir, 'admin.json'), 'utf8')) as {
      adminUrl: string
      token: string
    }
    expect(new URL(adminUrl).hostname).toBe('127.0.0.1')
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    for (const [method, path] of [
      ['GET', '/keys'],
      ['POST', '/keys'],
      ['DELETE', '/keys/1'],
      ['GET', '/plans'],
      ['PUT', '/plans/free'],
      ['GET', '/usage'],
      ['GET', '/status'],
    ] as const) {
      const statuses = await Promise.all(
        [{}, { authorization: 'Bearer ' }, { authorization: `Bearer ${token}x` }, { 'x-api-key': token }].map(
          async (headers) => (await fetch(`${adminUrl}${path}`, { method, headers })).status,
        ),
      )
      expect(statuses).toEqual([401, 401, 401, 401])
      // The gateway itself knows nothing of it.
      const outside = await system.fetch(path, { method, headers: { authorization: `Bearer ${token}` } })
      expect([401, 404, 405]).toContain(outside.status)
    }
    const listed = await fetch(`${adminUrl}/keys`, { headers: { authorization: `Bearer ${token}` } })
    expect([listed.status, await listed.json()]).toEqual([200, { items: [], next: null }])
    const document = (await (await fetch(`${adminUrl}/openapi.json`)).json()) as { paths: Record<string, unknown> }
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/keys', '/keys/{id}/rotate', '/plans/{name}', '/usage', '/status']),
    )
  })
})

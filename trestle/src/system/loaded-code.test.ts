import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('./fixtures/loaded-packages.ts', import.meta.url))

async function packagesOf(...files: readonly string[]): Promise<readonly string[]> {
  const urls = files.map((file) => new URL(file, import.meta.url).href)
  return JSON.parse((await promisify(execFile)(process.execPath, [program, ...urls])).stdout) as string[]
}

const every = ['./split/run-child.ts', './fixtures/tiny/system.ts']

describe('a process loads the code of what it runs', () => {
  it.each([
    ['whatever it runs', [], [], ['kysely', 'pg', 'jose', 'openid-client', 'yaml', 'ioredis', 'commander']],
    [
      'the gateway',
      ['./host/start-gateway.ts'],
      [],
      ['kysely', 'pg', 'node:undici', 'yaml', 'jose', 'openid-client', 'ioredis'],
    ],
    [
      'a service with a store',
      ['./host/start-service.ts', './fixtures/tiny/counter.ts'],
      ['kysely', 'pg'],
      ['jose', 'openid-client', 'yaml'],
    ],
  ])('%s', async (_what, more, needed, foreign) => {
    const loaded = await packagesOf(...every, ...more)
    expect(loaded).toEqual(expect.arrayContaining(['zod', 'pino', ...needed]))
    expect(loaded.filter((name) => foreign.includes(name))).toEqual([])
  })

  it('the parent of a split system: neither a query builder nor an HTTP client', async () => {
    const loaded = await packagesOf('./start-system.ts', './split/start-fleet.ts', './fixtures/tiny/system.ts')
    expect(loaded).toEqual(expect.arrayContaining(['zod', 'pino', 'pg']))
    expect(loaded.filter((name) => ['kysely', 'jose', 'openid-client', 'yaml'].includes(name))).toEqual([])
  })
})

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const brief = ['--rounds', '1', '--seconds', '0.02', '--warmup', '0.02']
const main = join(import.meta.dirname, 'main.ts')

async function bench(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [main, ...args])).stdout
}

describe('the benchmarks run, for one short round', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bench-test-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each([
    ['balance', brief],
    ['call', brief],
    ['events', ['--only', 'one event a transaction', '--rate', '50', ...brief]],
    ['gateway', ['--only', 'trestle bare,trestle key + limit', '--rate', '200', ...brief]],
    ['link', ['--calls', '400']],
    ['saga', ['--at-once', '4', ...brief]],
    ['system', ['--topologies', 'merged', '--products', '20', '--starts', '1', ...brief]],
  ])('%s', async (name, short) => {
    const file = join(folder, `${name}.json`)
    expect((await bench(name, ...short, '--json', file)).trim().split('\n').length).toBeGreaterThan(1)
    const report = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    expect(report).toMatchObject({ benchmark: name, node: process.version, results: expect.any(Array) })
    expect(report['results']).not.toEqual([])
    expect(JSON.stringify(report['results'])).not.toContain('null')
  })

  it('and one that is not there is a line that names those that are', async () => {
    await expect(bench('nothing')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/balance, call/),
    })
  })
})

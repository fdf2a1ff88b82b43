import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordedIo } from '../fixtures/recorded-io.ts'
import { runCli } from '../run-cli.ts'
import { writeProject } from './write-project.ts'

let cwd = ''
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'trestle-init-'))
})
afterEach(() => rm(cwd, { recursive: true }))

describe('trestle init', () => {
  it('writes a contract, a service, a migration, a system, a test, and what npm and tsc need', async () => {
    expect(await writeProject(cwd, 'hello')).toEqual([
      '.gitignore',
      '.npmrc',
      'README.md',
      'greetings/contract.ts',
      'greetings/greetings.test.ts',
      'greetings/migrations/0001-greetings.sql',
      'greetings/service.ts',
      'package.json',
      'system.ts',
      'tsconfig.json',
    ])
    const manifest = JSON.parse(await readFile(join(cwd, 'hello/package.json'), 'utf8')) as Record<string, unknown>
    expect(manifest).toMatchObject({ name: 'hello', private: true, scripts: { test: 'node --test' } })
    expect(await readFile(join(cwd, 'hello/system.ts'), 'utf8')).toContain("system('hello', {")
    expect(await readFile(join(cwd, 'hello/README.md'), 'utf8')).toMatch(/^# hello\n/)
  })

  it('overwrites nothing', async () => {
    await mkdir(join(cwd, 'hello'))
    await writeFile(join(cwd, 'hello/system.ts'), 'mine')
    const io = recordedIo({ cwd })
    expect(await runCli(['init', 'hello'], io)).toBe(2)
    expect(io.said.err).toContain('is there already and is not empty')
    expect(await readFile(join(cwd, 'hello/system.ts'), 'utf8')).toBe('mine')
  })

  it('writes into an empty folder and says what to do next', async () => {
    await mkdir(join(cwd, 'hello'))
    const io = recordedIo({ cwd })
    expect(await runCli(['init', 'hello'], io)).toBe(0)
    expect(io.said.out).toContain('hello/system.ts')
    expect(io.said.out).toContain('npm test')
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../scripts/check/run-tool.ts'

const program = fileURLToPath(new URL('trestle.js', import.meta.url))
/** Lets the program believe that it runs on an old Node. */
const pretend = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.1.0'})`

describe('the program on an old Node', () => {
  let elsewhere = ''
  beforeAll(async () => {
    elsewhere = await mkdtemp(join(tmpdir(), 'trestle-bin-'))
  })
  afterAll(() => rm(elsewhere, { recursive: true }))

  it('runs with the Node that npm has installed, wherever it is called from', async () => {
    const result = await runCommand(process.execPath, ['--import', pretend, program, '--version'], elsewhere)
    expect(result.output).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(result.exitCode).toBe(0)
  })

  it('passes its exit status on', async () => {
    const result = await runCommand(process.execPath, ['--import', pretend, program, 'nonsense'], elsewhere)
    expect(result.exitCode).toBe(2)
  })

  it('says what to do where there is none', async () => {
    const env = { TRESTLE_NODE_TRIED: '1' }
    const result = await runCommand(process.execPath, ['--import', pretend, program, '--version'], elsewhere, env)
    expect(result.exitCode).toBe(1)
    expect(result.output).toMatch(/needs Node 24 or newer; this is Node 20\.1\.0[^]*npm install/)
    expect(result.output).not.toContain('    at ')
  })
})

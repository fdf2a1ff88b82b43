import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { CommandProcess } from './command-process.ts'
import { freePorts } from './free-ports.ts'
import { startCommand } from './start-command.ts'

const tiny = fileURLToPath(new URL('../../system/fixtures/tiny/', import.meta.url))

describe('a system that a test starts by the command line', () => {
  it('serves, is asked by other commands, and leaves nothing behind', async () => {
    const command = await startCommand(['start', '--topology', 'merged'], { cwd: tiny })
    expect((await fetch(`${command.url}/readyz`)).status).toBe(200)
    expect(await command.trestle('ps')).toContain(String(command.pid))
    const settings = JSON.parse(await command.trestle('config', '--json')) as { name: string; value: string }[]
    const dataDir = settings.find(({ name }) => name === 'TRESTLE_DATA_DIR')?.value as string
    expect(await readdir(dataDir)).toContain('postgres')
    await command.stop()
    expect(command.said()).toMatch(/^tiny runs /m)
    // The last words too: a test may look for what must not be among them.
    expect(command.said()).toMatch(/^stopping tiny /m)
    expect(() => process.kill(command.pid, 0)).toThrow(/ESRCH/)
    await expect(readdir(dataDir)).rejects.toThrow(/ENOENT/)
  })

  it('that does not start is an error with what it said', async () => {
    await expect(startCommand(['start', join(tmpdir(), 'nowhere')])).rejects.toThrow(
      /exited with code \d before it was ready:\n.*nowhere/s,
    )
  })

  it('may be killed while it starts', async () => {
    const [gatewayPort = 0] = await freePorts(1)
    const dataDir = join(tmpdir(), 'never-made')
    const command = new CommandProcess(['start', tiny], { dataDir, gatewayPort })
    expect(command.runs).toBe(true)
    const ready = command.ready()
    await command.kill()
    expect(await ready).toBe(false)
    expect({ runs: command.runs, ended: await command.ended }).toEqual({ runs: false, ended: 'was ended by SIGKILL' })
    await expect(readdir(dataDir)).rejects.toThrow(/ENOENT/)
  })
})

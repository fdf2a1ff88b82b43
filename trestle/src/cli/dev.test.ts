import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spawnCli, type Spawned } from './fixtures/spawned-cli.ts'
import { writeProject } from './init/write-project.ts'

const workspace = fileURLToPath(new URL('../../../', import.meta.url))

describe('trestle dev', () => {
  let project = ''
  let dev: Spawned
  let gateway = ''
  const service = () => join(project, 'greetings/service.ts')
  const edit = async (from: string, to: string) => {
    await writeFile(service(), (await readFile(service(), 'utf8')).replace(from, to))
  }
  const greet = async () => {
    const headers = { 'content-type': 'application/json' }
    const reply = await fetch(`${gateway}/greetings`, { method: 'POST', headers, body: '{"name":"Ada"}' })
    return ((await reply.json()) as { text: string }).text
  }

  // Inside the workspace, so that the project finds the package as users find theirs, in node_modules above.
  beforeAll(async () => {
    await mkdir(join(workspace, '.trestle'), { recursive: true })
    const folder = await mkdtemp(join(workspace, '.trestle', 'dev-'))
    // As folders are: where the database's user cannot pass, the data would lie elsewhere and stay behind.
    await chmod(folder, 0o755)
    await writeProject(folder, 'hello')
    project = join(folder, 'hello')
    const env = { TRESTLE_GATEWAY_PORT: '0', TRESTLE_ADMIN_PORT: '0', TRESTLE_LOG_LEVEL: 'silent' }
    dev = spawnCli(['dev'], project, env)
    gateway = (await dev.waitFor(/^Gateway +(http:\S+)/m))[1] ?? ''
    await dev.waitFor(/^Stop/m)
  })

  afterAll(async () => {
    dev.child.kill('SIGTERM')
    await dev.ended
    await rm(dirname(project), { recursive: true, force: true })
  })

  it('runs everything in one process', () => {
    const pids = [...dev.said.out.matchAll(/^(?:greetings|gateway) .* (\d+)$/gm)].map(([, pid]) => pid)
    expect(pids).toHaveLength(2)
    expect(new Set(pids).size).toBe(1)
  })

  it('puts a saved change to work, keeps what ran when the code does not start, and goes on from there', async () => {
    expect(await greet()).toBe('Hello, Ada!')
    await edit('Hello', 'Good morning')
    await dev.waitFor(/^reloaded .*service\.ts in [\d.]+ s$/m)
    expect(await greet()).toBe('Good morning, Ada!')

    await edit('export default', 'syntax error (')
    await dev.waitFor(/^not reloaded .*greetings: its code cannot be loaded/m, 40_000, 'err')
    expect(await greet()).toBe('Good morning, Ada!')

    await edit('syntax error (', 'export default')
    await dev.waitFor(/^reloaded[^]*^reloaded/m)
    expect(await greet()).toBe('Good morning, Ada!')
  }, 120_000)
})

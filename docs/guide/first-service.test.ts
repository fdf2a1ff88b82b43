import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeProject } from '../../trestle/src/cli/init/write-project.ts'
import { guideFiles } from '../../trestle/scripts/guide-files.ts'
import { runCommand, runTool } from '../../trestle/scripts/check/run-tool.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = await readFile(new URL('first-service.md', import.meta.url), 'utf8')
const files = guideFiles(page)

describe('the guide "A first service"', () => {
  let project = ''

  // Inside the workspace, so that the project finds the package as users find theirs, in node_modules above.
  beforeAll(async () => {
    await mkdir(join(root, '.trestle'), { recursive: true })
    const folder = await mkdtemp(join(root, '.trestle', 'guide-'))
    await writeProject(folder, 'town')
    project = join(folder, 'town')
    for (const { path, text } of files) {
      await mkdir(dirname(join(project, path)), { recursive: true })
      await writeFile(join(project, path), text)
    }
  })

  afterAll(async () => {
    await rm(dirname(project), { recursive: true, force: true })
  })

  it('shows every file of the service', () => {
    expect(files.map(({ path }) => path)).toEqual([
      'polls/contract.ts',
      'polls/migrations/0001-polls.sql',
      'polls/service.ts',
      'system.ts',
      'polls/polls.test.ts',
    ])
  })

  it('shows code that type-checks', async () => {
    const { exitCode, output } = await runTool('tsc', ['-p', join(project, 'tsconfig.json')], root)
    expect(output).toBe('')
    expect(exitCode).toBe(0)
  })

  it('shows a test that passes on all runners, as does the one that init writes', async () => {
    const { exitCode, output } = await runCommand(process.execPath, ['--test'], project, {}, 150_000)
    expect(output).toMatch(/pass 12\n.*fail 0\n/s)
    expect(exitCode).toBe(0)
  }, 180_000)
})

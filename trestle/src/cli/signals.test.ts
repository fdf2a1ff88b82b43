import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { endsWithParentVariable } from '../system/ends-with-parent.ts'

const program = `
  import { catchEndSignals } from '${new URL('./signals.ts', import.meta.url).href}'
  const signals = catchEndSignals(() => {})
  const alive = setInterval(() => {}, 1_000)
  console.log('runs')
  console.log(await signals.first)
  signals[Symbol.dispose]()
  clearInterval(alive)
`

/** A program below a shell, as npm starts it. */
function startBelowShell(): { readonly shell: ChildProcess; readonly line: () => Promise<string> } {
  const command = '"$0" --input-type=module-typescript -e "$1" & wait'
  const env = { ...process.env, npm_lifecycle_event: 'start' }
  const shell = spawn('/bin/sh', ['-c', command, process.execPath, program], { env })
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]()
  return { shell, line: async () => String((await lines.next()).value) }
}

/** A program that another system has started beside itself, or one that a person has. */
function startProgram(beside: boolean) {
  const env = { ...process.env, [endsWithParentVariable]: beside ? '1' : undefined, npm_lifecycle_event: undefined }
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], { env })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return { child, line: async () => String((await lines.next()).value) }
}

describe.skipIf(process.platform === 'win32')('Ctrl-C, which a terminal sends to all', () => {
  it.each([
    ['ends a program', false, 'SIGINT'],
    ['is left to the system that a program runs beside', true, 'SIGTERM'],
  ])('%s', async (_, beside, first) => {
    const { child, line } = startProgram(beside)
    expect(await line()).toBe('runs')
    child.kill('SIGINT')
    // The one with the lower number is told first.
    child.kill('SIGTERM')
    expect(await line()).toBe(first)
  })
})

describe.skipIf(process.platform === 'win32')('the end of the shell that npm starts a program with', () => {
  it('counts as SIGTERM, as npm passes that on to the shell only', async () => {
    const { shell, line } = startBelowShell()
    expect(await line()).toBe('runs')
    shell.kill('SIGTERM')
    expect(await line()).toBe('SIGTERM')
  })
})

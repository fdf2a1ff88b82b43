import { describe, expect, it } from 'vitest'
import { recordedIo } from './fixtures/recorded-io.ts'
import { packageVersion } from './program.ts'
import { runCli } from './run-cli.ts'

async function run(...args: readonly string[]) {
  const io = recordedIo()
  const status = await runCli(args, io)
  return { status, ...io.said }
}

describe('the command line', () => {
  it('explains itself on stdout and succeeds', async () => {
    const { status, out, err } = await run('--help')
    expect(status).toBe(0)
    expect(err).toBe('')
    for (const text of ['Write and run:', 'The running system:', 'Examples:', 'trestle init hello', 'Exit status:']) {
      expect(out).toContain(text)
    }
  })

  it.each([
    ['help', 'scale'],
    ['scale', '--help'],
  ])('explains one command: %s %s', async (...args) => {
    const { status, out } = await run(...args)
    expect(status).toBe(0)
    expect(out).toContain('trestle scale orders=3')
  })

  it('explains itself and fails when it is told nothing', async () => {
    const { status, out } = await run()
    expect(status).toBe(2)
    expect(out).toContain('Usage: trestle')
  })

  it('prints its version', async () => {
    expect(await run('--version')).toEqual({ status: 0, out: `${packageVersion()}\n`, err: '' })
  })

  it.each([
    [['scal', 'orders=3'], 'Did you mean scale?'],
    [['ps', '--jsn'], 'Did you mean --json?'],
    [['scale'], "missing required argument 'service=replicas'"],
    [['scale', 'orders'], 'orders is not of the form service=replicas'],
    [['scale', 'orders=-1'], 'Write, for example: orders=3'],
    [['init', 'Not A Name'], 'Use lower case letters'],
    [['config', 'nowhere'], 'there is no system at nowhere'],
    [['call', 'orders.find', '--as', 'me'], 'Write user:ID'],
  ])('refuses %j with a sentence and status 2', async (args, sentence) => {
    const { status, out, err } = await run(...args)
    expect(status).toBe(2)
    expect(out).toBe('')
    expect(err).toContain(sentence)
    expect(err).not.toContain('    at ')
  })
})

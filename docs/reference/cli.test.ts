import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { cliReference } from '../../trestle/scripts/cli-reference.ts'

describe('docs/reference/cli.md', () => {
  it('says what the program says of itself; npm run docs writes it', async () => {
    expect(await readFile(new URL('cli.md', import.meta.url), 'utf8')).toBe(cliReference())
  })

  it('has every command that the issue names', () => {
    const named = ['dev', 'start', 'ps', 'scale', 'restart', 'stop', 'deploy', 'call', 'openapi', 'asyncapi', 'routes']
    for (const command of [
      ...named,
      'migrate',
      'store dump',
      'store load',
      'store reset',
      'store url',
      'config',
      'init',
    ]) {
      expect(cliReference()).toContain(`## trestle ${command}\n`)
    }
  })
})

import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cliErrors } from './trestle/src/cli/cli-error.ts'
import { platformErrors } from './trestle/src/contract/platform-errors.ts'
import { errorCodes } from './trestle/scripts/errors/error-codes.ts'

const root = fileURLToPath(new URL('./', import.meta.url))

/** The tables of docs/errors.md by the name in their heading (`## ... (StoreError)`): code -> cells. */
async function documented(): Promise<ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>> {
  const text = await readFile(join(root, 'docs/errors.md'), 'utf8')
  const sections = text.split(/^## /m).slice(1)
  return new Map(
    sections.map((section) => {
      const name = /\((\w+)\)$/.exec(section.split('\n')[0] ?? '')?.[1] ?? ''
      const rows = [...section.matchAll(/^\| `(\w+)` +\|(.*)\|$/gm)]
      return [name, new Map(rows.map(([, code = '', rest = '']) => [code, rest.split('|').map((cell) => cell.trim())]))]
    }),
  )
}

describe('docs/errors.md', async () => {
  const tables = await documented()
  const found = await readdir(join(root, 'trestle/src'), { recursive: true, withFileTypes: true })
  const files = found
    .filter((entry) => entry.isFile() && /(?<!\.test|\.test-d)\.ts$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  const coded = await errorCodes(root, files)

  it('names every error of the platform with its status and whether a retry is safe', () => {
    const rows = [...(tables.get('Problem') ?? [])].map(([code, [status, retry]]) => ({ code, status, retry }))
    const code = Object.entries(platformErrors).map(([name, { status, retry }]) => ({
      code: name,
      status: String(status),
      retry,
    }))
    expect(rows.length).toBeGreaterThan(15)
    expect(rows.toSorted(byCode)).toEqual(code.toSorted(byCode))
  })

  it('is held against classes that the parser has really found', () => {
    const names = coded.map(({ name }) => name)
    for (const name of ['StoreError', 'HttpError', 'OperatorError', 'StartError', 'CliError']) {
      expect(names).toContain(name)
    }
    expect(files.length).toBeGreaterThan(100)
  })

  it.each(coded)('names the codes of $name', ({ name, codes }) => {
    expect(codes.length).toBeGreaterThan(0)
    expect([...(tables.get(name)?.keys() ?? [])].toSorted()).toEqual([...codes].toSorted())
  })

  it('has no table of an error that the code does not know', () => {
    const known = ['Problem', ...coded.map(({ name }) => name)]
    expect([...tables.keys()].filter((name) => !known.includes(name))).toEqual([])
  })

  it('gives every code a meaning and something to do', () => {
    for (const [name, rows] of tables) {
      for (const [code, cells] of rows) {
        const said = cells.slice(name === 'Problem' || name === 'CliError' ? -2 : 0)
        expect(said, `${name} ${code}`).toHaveLength(2)
        for (const cell of said) expect(cell.length, `${name} ${code}`).toBeGreaterThan(3)
      }
    }
  })

  it('says the exit status of the errors of the command line', () => {
    const rows = [...(tables.get('CliError') ?? [])].map(([code, [status]]) => [code, status])
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(Object.entries(cliErrors).map(([code, status]) => [code, String(status)])),
    )
  })
})

function byCode(a: { readonly code: string }, b: { readonly code: string }): number {
  return a.code.localeCompare(b.code)
}

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { changedSource, type SourceChange } from 'trestle/testing'
import { describe, expect, it } from 'vitest'
import { gatedFaults, soonThere } from './changes.ts'
import { defects } from './defects.ts'
import { newCode } from './inject/new-code.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const files = ['trestle/src', 'systems/store']
  .flatMap((folder) => readdirSync(`${root}${folder}`, { recursive: true }).map((name) => `${folder}/${String(name)}`))
  .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))

/** The files that are changed, as they are then. */
function changed(changes: readonly SourceChange[]): readonly string[] {
  return [...Map.groupBy(changes, (change) => change.file)].map(([file, own]) => {
    const [found, ...others] = files.filter((name) => `/${name}`.endsWith(`/${file}`))
    if (found === undefined || others.length > 0) throw new Error(`${file} is no file, or several`)
    return changedSource(readFileSync(`${root}${found}`, 'utf8'), own)
  })
}

const always = gatedFaults.map(({ change }) => change)

describe('the sources that are changed', () => {
  it.each(defects.map((defect) => [defect.name, defect] as const))('have what %s changes', (_, { changes }) => {
    expect(changes.length).toBeGreaterThan(0)
    expect(changed([...always, ...changes]).length).toBeGreaterThanOrEqual(changed(always).length)
  })

  it('have what faults from within and new code change', () => {
    expect(changed([...always, ...soonThere, ...newCode]).length).toBeGreaterThan(changed(always).length)
  })
})

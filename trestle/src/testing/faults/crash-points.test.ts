import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { crashPoints } from '../../std/crash-points.ts'

const sources = fileURLToPath(new URL('../../', import.meta.url))

function used(): readonly string[] {
  return readdirSync(sources, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !/fixtures|std.crash-points/.test(name))
    .flatMap((name) => [...readFileSync(join(sources, name), 'utf8').matchAll(/\bcrashPoint\(\s*([^)]*)\)/g)])
    .map(([, argument = '']) => argument.trim())
}

describe('the crash points', () => {
  it('are those that the sources name, each in plain text', () => {
    const names = used()
    expect(names.length).toBeGreaterThan(20)
    expect([...new Set(names)].toSorted()).toEqual(
      Object.keys(crashPoints)
        .map((name) => `'${name}'`)
        .toSorted(),
    )
  })

  it('say what has happened there', () => {
    for (const [name, meaning] of Object.entries(crashPoints)) {
      expect(name).toMatch(/^[a-z]+\.[a-z-]+$/)
      expect(meaning.length).toBeGreaterThan(10)
    }
  })
})

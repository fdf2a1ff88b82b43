import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'

interface Entry {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * `npm ci` refuses a lock without the packages of other platforms, and `npm install` leaves out those that it cannot
 * fetch.
 */
describe('package-lock.json', () => {
  it('has the packages of every platform', async () => {
    const text = await readFile(new URL('package-lock.json', import.meta.url), 'utf8')
    const { packages } = JSON.parse(text) as { packages: Record<string, Entry> }
    const wanted = Object.values(packages).flatMap((one) => Object.keys(one.optionalDependencies ?? {}))
    expect(wanted.length).toBeGreaterThan(50)
    const places = Object.keys(packages)
    expect(wanted.filter((name) => !places.some((place) => place.endsWith(`node_modules/${name}`)))).toEqual([])
  })
})

import { assert, nat, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ancestorsOf, idOf, isWorkId, keyFromOutside, onceWork, workFromOutside } from './once-work.ts'

const beganAtMs = Date.UTC(2026, 0, 2, 3, 4, 5)
const workOf = (key: string, more: { readonly within?: string; readonly cancels?: string } = {}) =>
  onceWork({ key, beganAtMs, ...more })

function all(key: string): unknown[] {
  const { scope, newId, now, random } = workOf(key)
  const keys = [scope.keyFor('a.b'), scope.keyFor('a.c'), scope.keyFor('a.b')]
  return [...keys, newId(), newId(), now(), random(), random()]
}

describe('once-only work', () => {
  it('asks, makes and draws the same at each repetition', () => {
    expect(all('k')).toEqual(all('k'))
  })

  it('derives nothing from one key that it derives from another, or twice', () => {
    const derived = ['k', 'l', 'call', ''].flatMap((key) => all(key).filter((value) => value !== beganAtMs))
    expect(new Set(derived).size).toBe(derived.length)
  })

  it('derives keys that any header may carry, however deep it is nested', () => {
    let within: string | undefined
    for (let depth = 0; depth < 10; depth += 1) {
      const key = workOf(`work ${depth}`, within === undefined ? {} : { within }).scope.keyFor('orders.place')
      expect(key).toMatch(/^[\x21-\x7e]{1,108}$/)
      expect(ancestorsOf(key)[0]).toBe(idOf(`work ${depth}`))
      within = key
    }
    expect(ancestorsOf(within)).toEqual([9, 8, 7].map((depth) => idOf(`work ${depth}`)))
  })

  it('knows no ancestors of a key that somebody made up', () => {
    for (const key of [undefined, '', 'k', '~', '~a.b', `${workOf('k').scope.keyFor('a')} `]) {
      expect(ancestorsOf(key)).toEqual([])
    }
  })

  it('of outside is not work of inside, whatever its client can compute', () => {
    const key = workOf('work', { within: workOf('outer').scope.keyFor('a') }).scope.keyFor('b')
    const outside = keyFromOutside(key)
    expect(ancestorsOf(outside).length).toBe(2)
    expect(ancestorsOf(outside).some((ancestor) => ancestorsOf(key).includes(ancestor))).toBe(false)
    const undone = workFromOutside(`~${idOf('work')}`)
    expect([isWorkId(undone), idOf(undone)]).toEqual([true, ancestorsOf(outside)[0]])
    for (const made of ['k', '~', '~a.b', '~'.repeat(255)]) expect(keyFromOutside(made)).toBe(made)
  })

  it('makes ids that are version 7 and say when it began', () => {
    const id = workOf('k').newId()
    expect(z.uuidv7().safeParse(id).success).toBe(true)
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(beganAtMs)
  })

  it('makes ids and numbers of the promised form, whatever its key', () => {
    assert(
      property(string(), nat(), (key, atMs) => {
        const { newId, random } = onceWork({ key, beganAtMs: atMs })
        const drawn = random()
        expect(z.uuidv7().safeParse(newId()).success).toBe(true)
        expect(drawn >= 0 && drawn < 1).toBe(true)
      }),
    )
  })

  it('passes on what it undoes', () => {
    expect(workOf('k').scope.cancels).toBeUndefined()
    expect(workOf('k', { cancels: 'earlier' }).scope.cancels).toBe('earlier')
  })
})

import { array, assert, constantFrom, oneof, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalPath } from './canonical-path.ts'

const pathOf = (raw: string) => {
  const result = canonicalPath(raw)
  return result.ok ? result.path : `refused: ${result.detail}`
}

/** Paths made of what is awkward in paths. */
const awkward = array(
  constantFrom(
    '/',
    '.',
    '..',
    '%2e',
    '%2E',
    '%2f',
    '%5c',
    '\\',
    ';',
    '%3b',
    'a',
    '%41',
    '%c3%a9',
    '%25',
    '%252e',
    '//',
    '~',
    '%7e',
    '%ff',
    '%00',
    '%',
    ' ',
    '{',
    '%zz',
  ),
  { maxLength: 12 },
).map((parts) => `/${parts.join('')}`)
const anyPath = oneof(
  awkward,
  string({ unit: 'binary-ascii' }).map((text) => `/${text}`),
  string(),
)

describe('a canonical path', () => {
  it.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/', '/a/'],
    ['/%41%7e%2d', '/A~-'],
    ['/%c3%a9', '/%C3%A9'],
    ['/a/../b', '/b'],
    ['/a/%2e%2e/b', '/b'],
    ['/a/./b/.', '/a/b/'],
    ['/a/b/..', '/a/'],
    ['/../../a', '/a'],
    ['/a|b', '/a%7Cb'],
    ['/a%3ab', '/a%3Ab'],
    ['/a:b@c', '/a:b@c'],
  ])('of %s is %s', (raw, canonical) => {
    expect(pathOf(raw)).toBe(canonical)
  })

  it.each(['', 'a', '/%', '/%4', '/%zz', '/%00', '/a%0d%0a', '/%7f', '/%ff', '/%c0%ae', '/é', '/a b', '/\t', '/\0'])(
    'does not exist for %j',
    (raw) => {
      expect(canonicalPath(raw).ok).toBe(false)
    },
  )

  it.each([
    '/pub/..;/admin',
    '/pub/..%5cadmin',
    '/pub\\..\\admin',
    '/pub/..%2fadmin',
    '/pub/%2e%2e%2fadmin',
    '/pub/.%3b/admin',
    '/pub/%252e%252e/admin',
    '/pub/%252e%252e%252fadmin',
    '/pub%2f..%2fadmin',
    '/%5c..%5cadmin',
  ])('does not exist for %s, which others would read as a way up', (raw) => {
    expect(canonicalPath(raw).ok).toBe(false)
  })

  it.each([
    ['/a%2fb', ['%2F']],
    ['/a%5Cb', ['%5C']],
    ['/a\\b', ['%5C']],
    ['//a', ['//']],
    ['/a;b=c', [';']],
    ['/a//b;c%2f', ['%2F', '//', ';']],
    ['/a/b', []],
  ])('of %s names its ambiguities %j', (raw, ambiguities) => {
    expect(canonicalPath(raw)).toMatchObject({ ok: true, ambiguities })
  })

  it('is its own canonical path', () => {
    assert(
      property(anyPath, (raw) => {
        const first = canonicalPath(raw)
        expect(first.ok ? canonicalPath(first.path) : first).toEqual(first)
      }),
      { numRuns: 2_000 },
    )
  })

  it('has no dot segment, however often it is decoded, and only visible ASCII', () => {
    assert(
      property(anyPath, (raw) => {
        const result = canonicalPath(raw)
        if (!result.ok) return
        expect(result.path).toMatch(/^\/[\x21-\x7e]*$/)
        for (const reading of [result.path, decodeURIComponent(result.path)]) {
          expect(reading.split(/[/\\]/).map((segment) => segment.replace(/;.*/, ''))).not.toContain('..')
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('is what a URL library makes of a path that is not ambiguous', () => {
    const plain = array(constantFrom('/', '.', '..', 'a', 'b', '%c3%a9', '%20'), { maxLength: 10 }).map(
      (parts) => `/${parts.join('')}`,
    )
    assert(
      property(plain, (raw) => {
        const result = canonicalPath(raw)
        if (!result.ok || raw.includes('//')) return
        const upper = new URL(`http://a${raw}`).pathname.replaceAll(/%[0-9a-f]{2}/g, (escape) => escape.toUpperCase())
        expect(result.path).toBe(upper)
      }),
    )
  })
})

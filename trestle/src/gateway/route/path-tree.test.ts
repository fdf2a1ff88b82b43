import { array, assert, constantFrom, property, uniqueArray } from 'fast-check'
import findMyWay from 'find-my-way'
import { describe, expect, it } from 'vitest'
import { createPathTree } from './path-tree.ts'
import { shapeOf } from './route-template.ts'

const path = array(constantFrom('a', 'b', 'c', '%41'), { minLength: 1, maxLength: 4 }).map(
  (parts) => `/${parts.join('/')}`,
)
const template = array(constantFrom('a', 'b', '{x}'), { minLength: 1, maxLength: 4 }).map((parts) =>
  `/${parts.join('/')}`.replaceAll(/\{x\}/g, (_, at: number) => `{x${at}}`),
)

/** Another matcher, told not to decode, with names for fields by position. */
function other(templates: readonly string[]) {
  const router = findMyWay({ caseSensitive: true })
  for (const one of templates) router.on('GET', one.replaceAll(/\{(\w+)\}/g, ':$1'), () => undefined, one)
  return (at: string) => {
    const found = router.find('GET', at.replaceAll('%', '\u0001'))
    return found === null
      ? undefined
      : {
          item: found.store as string,
          values: Object.values(found.params).map((value) => value?.replaceAll('\u0001', '%')),
        }
  }
}

describe('a tree of paths', () => {
  it('finds what another matcher finds', () => {
    let hits = 0
    assert(
      property(
        uniqueArray(template, { selector: shapeOf, minLength: 1, maxLength: 20 }),
        array(path),
        (templates, paths) => {
          const tree = createPathTree(templates.map((one) => ({ template: one, item: one })))
          const find = other(templates)
          for (const at of paths) {
            const found = tree.find(at)
            expect(found).toEqual(find(at))
            if (found !== undefined) hits += 1
          }
        },
      ),
      { numRuns: 500 },
    )
    expect(hits).toBeGreaterThan(100)
  })
})

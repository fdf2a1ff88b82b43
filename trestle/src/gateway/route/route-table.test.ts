import { describe, expect, it } from 'vitest'
import { createRouteTable } from './route-table.ts'
import { fieldsOf } from './route-template.ts'

const route = (method: string, template: string, place = template, hosts: readonly string[] = []) => ({
  method,
  template,
  place,
  hosts,
})
const templatesOf = (table: ReturnType<typeof createRouteTable>, path: string, host = '') =>
  [...(table.match(host, path)?.routes.values() ?? [])].map(({ template }) => template)
/** How many nodes a look-up visits. */
function counted(templates: readonly string[]) {
  let visits = 0
  const table = createRouteTable(
    templates.map((template) => route('GET', template)),
    () => {
      visits += 1
    },
  )
  return (path: string) => {
    visits = 0
    table.match('', path)
    return visits
  }
}

describe('a route table', () => {
  const table = createRouteTable([
    route('GET', '/'),
    route('GET', '/orders'),
    route('POST', '/orders'),
    route('GET', '/orders/{id}'),
    route('DELETE', '/orders/{orderId}'),
    route('GET', '/orders/mine'),
    route('GET', '/orders/{id}/lines/{line}'),
    route('GET', '/a/{x}/b'),
    route('GET', '/a/c/{y}'),
    route('GET', '/v1:batch'),
  ])

  it.each([
    ['/', ['/']],
    ['/orders', ['/orders', '/orders']],
    ['/orders/1', ['/orders/{id}', '/orders/{orderId}']],
    ['/orders/mine', ['/orders/mine']],
    ['/orders/minerva', ['/orders/{id}', '/orders/{orderId}']],
    ['/a/c/b', ['/a/c/{y}']],
    ['/a/d/b', ['/a/{x}/b']],
    ['/v1:batch', ['/v1:batch']],
    ['/orders/', []],
    ['/orders//', []],
    ['//orders', []],
    ['/ORDERS', []],
    ['/orders/1/', []],
    ['/orders/1/lines', []],
    ['/nothing', []],
  ])('leads %s to %j', (path, templates) => {
    expect(templatesOf(table, path)).toEqual(templates)
  })

  it('leaves values encoded, so that an encoded slash is no border', () => {
    expect(table.match('', '/orders/a%2Fb')?.values).toEqual(['a%2Fb'])
    expect(table.match('', '/orders/a%2Flines%2F1')?.values).toEqual(['a%2Flines%2F1'])
    expect(table.match('', '/orders/%C3%A9/lines/%253F')?.values).toEqual(['%C3%A9', '%253F'])
    expect(table.match('', '/%6Frders')).toBeUndefined()
    expect(table.match('', `/orders/${'x'.repeat(8_000)}`)?.values[0]).toHaveLength(8_000)
  })

  it('names both places when two routes collide', () => {
    expect(() =>
      createRouteTable([route('GET', '/orders/{id}', 'orders.find'), route('GET', '/orders/{key}', 'legacy.get')]),
    ).toThrow(/orders\.find.*legacy\.get/)
  })

  it.each(['orders', '', '/a*', '/*/a', '/{id}.json', '/{a}{b}', '/a b', '/%41', '/{}', '/a?b', '/a/..', '/./a'])(
    'cannot have the template %s',
    (template) => {
      expect(() => createRouteTable([route('GET', template)])).toThrow(TypeError)
    },
  )

  it('finds one of ten thousand routes with the work of one of ten', () => {
    const templates = Array.from({ length: 10_000 }, (_, n) => `/service${n % 100}/things${n}/{id}`)
    const many = counted(templates)
    const few = counted(templates.slice(0, 10))
    for (const path of ['/service7/things7/42', '/service7/things7', '/service7/nothing/42', '/', '/x/y/z']) {
      expect([path, many(path)]).toEqual([path, few(path)])
    }
    expect(many('/service99/things9999/x')).toBe(4)
  })

  it('visits each node at most once, whatever dead ends a path leads into', () => {
    // Every way through eight segments, each of them static or a field: 2^9 - 1 nodes.
    const ways = Array.from({ length: 256 }, (_, way) =>
      Array.from({ length: 8 }, (__, at) => ((way >> at) & 1 ? '/a' : `/{f${at}}`)).join(''),
    )
    expect(counted(ways)(`${'/a'.repeat(7)}/`)).toBeLessThanOrEqual(511)
    expect(counted(ways)('/a'.repeat(4_000))).toBeLessThanOrEqual(511)
    expect(counted(['/{a}/x', '/{a}/y/*', '/*'])('/a'.repeat(4_000))).toBeLessThanOrEqual(6)
  })

  it('knows the fields of a template', () => {
    expect(fieldsOf('/a/{b}/c/{d}')).toEqual(['b', 'd'])
  })
})

describe('a catch-all', () => {
  const table = createRouteTable([
    route('*', '/legacy/*'),
    route('GET', '/legacy/here'),
    route('*', '/legacy/deep/*'),
    route('*', '/{tenant}/files/*'),
    route('GET', '/{tenant}/files/{id}'),
    route('GET', '/shop'),
    route('*', '/shop/*'),
  ])

  it.each([
    ['/legacy', ['/legacy/*'], ['']],
    ['/legacy/', ['/legacy/*'], ['']],
    ['/legacy/a/b%2Fc/', ['/legacy/*'], ['a/b%2Fc/']],
    ['/legacy//a', ['/legacy/*'], ['/a']],
    ['/legacy/here', ['/legacy/here'], []],
    ['/legacy/here/more', ['/legacy/*'], ['here/more']],
    ['/legacy/deep', ['/legacy/deep/*'], ['']],
    ['/legacy/deep/a', ['/legacy/deep/*'], ['a']],
    ['/legacy/deeper', ['/legacy/*'], ['deeper']],
    ['/legacyx', [], undefined],
    ['/t/files/1', ['/{tenant}/files/{id}'], ['t', '1']],
    ['/t/files/1/2', ['/{tenant}/files/*'], ['t', '1/2']],
    ['/t/files', ['/{tenant}/files/*'], ['t', '']],
    ['/shop', ['/shop'], []],
    ['/shop/', ['/shop/*'], ['']],
    ['/', [], undefined],
  ])('leads %s to %j', (path, templates, values) => {
    expect(templatesOf(table, path)).toEqual(templates)
    expect(table.match('', path)?.values).toEqual(values)
  })

  it('may take everything', () => {
    const all = createRouteTable([route('*', '/*'), route('GET', '/a')])
    expect(['/', '/a', '/a/b'].map((path) => templatesOf(all, path))).toEqual([['/*'], ['/a'], ['/*']])
  })
})

describe('routes of hosts', () => {
  const table = createRouteTable([
    route('GET', '/a', 'every'),
    route('GET', '/only-every', 'every'),
    route('GET', '/a', 'exact', ['api.example.com']),
    route('GET', '/a', 'wild', ['*.example.com', 'other.test']),
    route('GET', '/only-wild', 'wild', ['*.example.com']),
  ])
  const placesOf = (host: string, path: string) =>
    [...(table.match(host, path)?.routes.values() ?? [])].map(({ place }) => place)

  it.each([
    ['api.example.com', '/a', ['exact']],
    ['api.example.com', '/only-wild', ['wild']],
    ['api.example.com', '/only-every', ['every']],
    ['www.example.com', '/a', ['wild']],
    ['a.b.example.com', '/a', ['every']],
    ['.example.com', '/a', ['every']],
    ['*.example.com', '/a', ['every']],
    ['example.com', '/a', ['every']],
    ['api.example.com.evil.test', '/a', ['every']],
    ['other.test', '/a', ['wild']],
    ['', '/a', ['every']],
    ['www.example.com', '/nothing', []],
  ])('take %s%s: the exact name before a wildcard before every host', (host, path, places) => {
    expect(placesOf(host, path)).toEqual(places)
  })

  it('collide where they have one in common, named with the host', () => {
    const both = [route('GET', '/a', 'one', ['a.test', 'b.test']), route('GET', '/a', 'two', ['B.test', 'c.test'])]
    expect(() => createRouteTable(both)).toThrow(/GET \/a on b\.test: one .* two/)
    expect(() =>
      createRouteTable([route('GET', '/a', 'one', ['*.a.test']), route('GET', '/a', 'two', ['x.a.test'])]),
    ).not.toThrow()
  })
})

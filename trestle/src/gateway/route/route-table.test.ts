import { describe, expect, it } from 'vitest'
import { createRouteTable } from './route-table.ts'
import { fieldsOf } from './route-template.ts'

const route = (method: string, template: string, place = template) => ({ method, template, place })
const templatesOf = (table: ReturnType<typeof createRouteTable>, path: string) =>
  [...(table.match(path)?.routes.values() ?? [])].map(({ template }) => template)

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
    expect(table.match('/orders/a%2Fb')?.values).toEqual(['a%2Fb'])
    expect(table.match('/orders/a%2Flines%2F1')?.values).toEqual(['a%2Flines%2F1'])
    expect(table.match('/orders/%C3%A9/lines/%253F')?.values).toEqual(['%C3%A9', '%253F'])
    expect(table.match('/%6Frders')).toBeUndefined()
    expect(table.match(`/orders/${'x'.repeat(8_000)}`)?.values[0]).toHaveLength(8_000)
  })

  it('names both places when two routes collide', () => {
    expect(() =>
      createRouteTable([route('GET', '/orders/{id}', 'orders.find'), route('GET', '/orders/{key}', 'legacy.get')]),
    ).toThrow(/orders\.find.*legacy\.get/)
  })

  it.each(['orders', '/a*', '/{id}.json', '/{a}{b}', '/a b', '/%41', '/{}', '/a?b'])(
    'cannot have the template %s',
    (template) => {
      expect(() => createRouteTable([route('GET', template)])).toThrow(TypeError)
    },
  )

  it('finds one of ten thousand routes as fast as one of ten, within a wide margin', () => {
    const many = createRouteTable(
      Array.from({ length: 10_000 }, (_, n) => route('GET', `/service${n % 100}/things${n}/{id}`)),
    )
    const few = createRouteTable(
      Array.from({ length: 10 }, (_, n) => route('GET', `/service${n % 100}/things${n}/{id}`)),
    )
    const time = (one: typeof many) => {
      const started = performance.now()
      for (let n = 0; n < 20_000; n += 1) expect(one.match('/service7/things7/42') === undefined).toBe(false)
      return performance.now() - started
    }
    time(many)
    time(few)
    expect(many.match('/service99/things9999/x')?.values).toEqual(['x'])
    expect(time(many)).toBeLessThan(Math.max(time(few), 5) * 10)
  })

  it('knows the fields of a template', () => {
    expect(fieldsOf('/a/{b}/c/{d}')).toEqual(['b', 'd'])
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ProxiedGateway, proxiedGateway } from './proxied-gateway.ts'

describe('a gateway before an upstream lets nobody through by the path', () => {
  let at: ProxiedGateway
  beforeAll(async () => {
    at = await proxiedGateway()
  })
  afterAll(() => at[Symbol.asyncDispose]())
  beforeEach(() => at.server.clear())

  it.each([
    ['/pub/../admin', 401],
    ['/pub/../admin/x', 401],
    ['/pub/%2e%2e/admin/x', 401],
    ['/pub/.%2E/admin/x', 401],
    ['/pub/./../admin/x', 401],
    ['/pub/a/../../admin/x', 401],
    ['http://a/pub/../admin/x', 401],
    ['http://a/pub/%2e%2e/admin/x', 401],
    ['/pub/..;/admin/x', 400],
    ['/pub/..%5cadmin/x', 400],
    ['/pub\\..\\admin/x', 400],
    ['/pub/..%2fadmin/x', 400],
    ['/pub/%252e%252e/admin/x', 400],
    ['/pub/..%3b/admin/x', 400],
    ['/pub/../other', 404],
    ['/../../pub/../other', 404],
  ])('case 1: %s is answered with %i, and nothing outside the prefix reaches the upstream', async (target, status) => {
    expect(await at.status(target)).toEqual([status])
    expect(at.server.connections.join('')).toBe('')
  })

  it('case 1: what stays below the prefix arrives in its one form', async () => {
    expect(await at.status('/pub/a/../b/%7e%2e')).toEqual([200])
    expect(await at.status('http://a/pub/./c')).toEqual([200])
    expect(await at.status('/admin/../pub/d', 'Authorization: Bearer x\r\n')).toEqual([200])
    expect(at.targets()).toEqual(['/pub/b/~.', '/pub/c', '/pub/d'])
  })

  it.each([
    ['//admin/x', 400],
    ['/admin//x', 400],
    ['/%2fadmin/x', 400],
    ['/admin%2fx', 400],
    ['/admin;a/x', 400],
    ['/pub;/x', 400],
    ['/ADMIN/x', 404],
    ['/%41dmin/x', 404],
    ['/%61dmin/x', 401],
    ['/admin/%78', 401],
  ])('case 2: %s is answered with %i and reaches nobody', async (target, status) => {
    expect(await at.status(target)).toEqual([status])
    expect(at.server.connections.join('')).toBe('')
  })

  it('case 2: matching, authorisation, log and upstream have one identical path', async () => {
    const admin = 'Authorization: Bearer alice:admin\r\n'
    expect(await at.status('/pub/..//../%61dmin/./%78'.replace('//', '/'), admin)).toEqual([200])
    expect(at.targets()).toEqual(['/admin/x'])
    expect(at.bench.records.at(-1)).toMatchObject({ path: '/admin/x', route: '/admin/*', callerId: 'alice' })
  })

  it.each([
    ['/raw%2fadmin', 400],
    ['/raw%2f..%2fadmin', 400],
    ['/raw/..%2fadmin', 400],
    ['/raw/%2e%2e%2fadmin', 400],
    ['/raw/a%2f..%2f..%2fadmin', 400],
    ['/raw/..%5cadmin', 400],
    ['/raw//admin', 400],
  ])('case 3: %s is answered with %i though the route allows an encoded slash', async (target, status) => {
    expect(await at.status(target)).toEqual([status])
    expect(at.server.connections.join('')).toBe('')
  })

  it('case 3: the prefix is taken from the path as it stands, and an encoded slash stays one', async () => {
    expect(await at.status('/raw/a%2fb;c/%72aw')).toEqual([200])
    expect(await at.status('/%72aw/%2Fadmin')).toEqual([200])
    expect(at.targets()).toEqual(['/a%2Fb;c/raw', '/%2Fadmin'])
  })
})

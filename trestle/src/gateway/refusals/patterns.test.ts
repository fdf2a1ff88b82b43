import { array, assert, asyncProperty, constantFrom } from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rawClient, statusesOf } from '../../http/raw-client.ts'
import { anyone } from '../../contract/index.ts'
import { upstream } from '../index.ts'
import { type ProxiedGateway, proxiedGateway } from './proxied-gateway.ts'

/** Patterns in which each segment may be text or a field, so that a path leads into as many dead ends as it can. */
const crossing = Array.from({ length: 64 }, (_, way) =>
  Array.from({ length: 6 }, (__, at) => ((way >> at) & 1 ? '/a' : `/{f${at}}`)).join(''),
)

/** What paths are made of, and what others read as a way out of them. */
const pieces = [
  '/',
  'a',
  'b',
  'files',
  'v.1',
  '..',
  '.',
  '%2e',
  '%2F',
  '%5c',
  ';',
  '%',
  '//',
  'odd',
  '__proto__',
  '*',
  ':',
  '{',
  '%00',
  '%ff',
  '?',
  '#',
]

describe('patterns that users wrote, and paths that somebody chose for them', () => {
  let at: ProxiedGateway
  beforeAll(async () => {
    at = await proxiedGateway({
      more: (url) => [
        ...crossing.map((pattern) => upstream(pattern, [url], { access: anyone(), addPrefix: '/crossing' })),
        upstream('/files/{name}/v.{1}'.replace('{1}', '1'), [url], { access: anyone(), addPrefix: '/one' }),
        upstream("/odd/a+b(c)$d!e'f/{id}", [url], { access: anyone(), addPrefix: '/odd' }),
        upstream('/constructor/{__proto__}/*', [url], { access: anyone(), addPrefix: '/proto' }),
      ],
    })
  })
  afterAll(() => at[Symbol.asyncDispose]())

  it.each([
    ['a long segment', `/files/${'a'.repeat(7_000)}/v.2`, 404],
    ['many segments', '/a'.repeat(3_500), 404],
    ['as many dead ends as there are', `${'/a'.repeat(5)}/`, 404],
    ['almost a pattern, again and again', `/files${'/files'.repeat(1_000)}`, 404],
    ['text that is an expression in other matchers', '/odd/aab(c)$d!e%27f/1', 404],
    ['text that is one, literally', "/odd/a+b(c)$d!e'f/1", 200],
    ['a dot that is any character elsewhere', '/files/x/vx1', 404],
    ['a name that every object has', '/constructor/__proto__/x', 200],
    ['another one', '/__proto__', 404],
    ['one more', '/hasOwnProperty/constructor', 404],
    ['the pattern itself', '/files/%7Bname%7D/v.1', 200],
    ['a raw pattern', '/files/{name}/v.1', 200],
    ['a colon and a star', '/files/:name/*', 404],
    ['many escapes', `/files/${'%C3%A9'.repeat(1_000)}/v.1`, 200],
    ['an encoded slash for a border', '/files%2Fx/v.1', 400],
    ['an empty segment for a field', '/files//v.1', 400],
    ['encoded dots for a field', '/files/%2e%2e/v.1', 404],
  ])('case 20: %s is answered', async (_, path, status) => {
    at.server.clear()
    expect(await at.status(path)).toEqual([status])
    expect(at.server.requests).toHaveLength(status === 200 ? 1 : 0)
  })

  it('case 20: whatever the path, what reaches the upstream is below the prefix of its own pattern', async () => {
    const begin = constantFrom('', '/pub', '/pub/', '/files/x', '/a/b/c/d/e', '/constructor/k/')
    const piece = constantFrom(...pieces)
    let reached = 0
    await assert(
      asyncProperty(begin, array(piece, { maxLength: 8 }), async (start, rest) => {
        at.server.clear()
        const client = rawClient(at.bench.port)
        client.send(`GET ${start}/${rest.join('')} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
        const [status] = statusesOf(await client.closed())
        expect([200, 400, 404, 405]).toContain(status)
        for (const target of at.targets()) {
          reached += 1
          expect(target).toMatch(
            /^\/(?:crossing(?:\/[^/?]+){6}|one\/files\/[^/?]+\/v\.1|odd\/odd\/|proto\/constructor\/|pub)/,
          )
          expect(target.split('?', 1)[0]).not.toMatch(/\/\.{1,2}(?:\/|$)|%2F|%5C|;|\/\//i)
        }
      }),
      { numRuns: 400 },
    )
    expect(reached).toBeGreaterThan(10)
    expect(at.bench.errors).toEqual([])
  })
})

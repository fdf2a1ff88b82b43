import { expect, it } from 'vitest'
import { startBench } from '../gateway-fixture.ts'
import { recordingUpstream } from '../refusals/recording-upstream.ts'
import { upstream } from '../upstream/upstream.ts'
import type { Authenticator } from './authenticator.ts'
import { parameterValues } from './query-credential.ts'

const anybodys: Authenticator = {
  kind: 'authenticator',
  name: 'keys in the query',
  challenge: undefined,
  uses: {},
  carriers: { query: ['api_key'] },
  find: ({ query }) => parameterValues(query, 'api_key')[0],
  open: async () => () => ({ kind: 'user', id: 'ada', scopes: [] }),
}

it('a credential in the query is passed on in no form, nor in the address of the page that asks', async () => {
  await using server = await recordingUpstream()
  const bench = await startBench(undefined, { authenticate: [anybodys], routes: [upstream('/a', [server.url])] })
  const ask = async (query: string, referer: string) => {
    const head = `GET /a?${query} HTTP/1.1\r\nHost: a\r\nReferer: http://a/${referer}\r\nConnection: close\r\n\r\n`
    expect(await bench.raw(head)).toMatch(/^HTTP\/1\.1 200 /)
    return server.requests.at(-1) ?? ''
  }
  for (const written of ['api_key=secret', 'b=c&api%5Fkey=secret', '%61pi_key=secret&api_key=secret']) {
    expect(await ask(written, `page?x=y&${written}`)).not.toMatch(/secret|referer/i)
    expect(await ask(written, 'page?x=y')).toMatch(/^referer: http:\/\/a\/page\?x=y\r$/im)
  }
  await bench.stop()
})

import { expect, it } from 'vitest'
import type { Authenticator } from '../authentication/authenticator.ts'
import { parameterValues } from '../authentication/query-credential.ts'
import { startBench } from '../gateway-fixture.ts'
import { toLogin } from './to-login.ts'

const nobodys: Authenticator = {
  kind: 'authenticator',
  name: 'keys in the query',
  challenge: undefined,
  uses: {},
  carriers: { query: ['api_key'] },
  find: ({ query }) => parameterValues(query, 'api_key')[0],
  open: async () => () => undefined,
}

it('a credential that was not good enough is no part of the address of the log-in', async () => {
  const bench = await startBench(undefined, { authenticate: [nobodys], policies: [toLogin('/auth/login')] })
  const ask = 'GET /mine?a=b&api%5Fkey=secret HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n'
  expect(await bench.raw(ask)).toMatch(/^HTTP\/1\.1 302 .*\r\nLocation: \/auth\/login\?returnTo=%2Fmine%3Fa%3Db\r\n/s)
  await bench.stop()
})

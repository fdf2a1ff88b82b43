import { createConfig, lintFromString } from '@redocly/openapi-core'
import { local } from 'trestle/testing'
import { describe, expect, it } from 'vitest'

describe("the payment system's gateway", () => {
  it('serves one document of all its operations, to which a public linter has nothing to say', async () => {
    await using payments = await local.start(new URL('./system.ts', import.meta.url))
    const source = await (await payments.fetch('/openapi.json')).text()
    const { info, paths } = JSON.parse(source) as { info: object; paths: Record<string, object> }
    expect(info).toMatchObject({ title: 'Payments' })
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/v1/oauth2/token',
        '/v1/merchants',
        '/v2/checkout/orders',
        '/v2/checkout/orders/{id}/authorize',
        '/v2/payments/captures/{id}/refund',
        '/v1/notifications/webhooks-events/{event_id}/resend',
      ]),
    )
    // What moves payments for tests is not there unless it was switched on.
    expect(Object.keys(paths).filter((path) => path.startsWith('/test/'))).toEqual([])
    const config = await createConfig({ extends: ['recommended'] })
    const problems = await lintFromString({ source, config })
    expect(problems.map(({ ruleId, location }) => [ruleId, location[0]?.pointer])).toEqual([])
  })
})

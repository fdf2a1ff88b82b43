import { createConfig, lintFromString } from '@redocly/openapi-core'
import { describe, expect, it } from 'vitest'
import { local } from 'trestle/testing'

describe("the geolocation API's gateway", () => {
  it('serves one document of all its operations, to which a public linter has nothing to say but of one slash', async () => {
    await using geo = await local.start(new URL('./system.ts', import.meta.url))
    const source = await (await geo.fetch('/openapi.json')).text()
    const { info, paths } = JSON.parse(source) as { info: object; paths: Record<string, object> }
    expect(info).toMatchObject({ title: 'Geolocation' })
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/v1/', '/v1/{ip}', '/v1/batch', '/accounts', '/subscription']),
    )
    expect(source).not.toMatch(/client.address/i)
    const config = await createConfig({ extends: ['recommended'] })
    const problems = await lintFromString({ source, config })
    // The address was promised with its slash.
    expect(problems.map(({ ruleId, location }) => [ruleId, location[0]?.pointer])).toEqual([
      ['no-path-trailing-slash', '#/paths/~1v1~1'],
    ])
  })
})

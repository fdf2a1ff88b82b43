import { createConfig, lintFromString } from '@redocly/openapi-core'
import { describe, expect, it } from 'vitest'
import { local } from 'trestle/testing'

process.env.STORE_PRODUCTS = '100'

describe("the store's gateway", () => {
  it('serves one document of all its operations, to which a public linter has nothing to say', async () => {
    await using store = await local.start(new URL('./system.ts', import.meta.url))
    const source = await (await store.fetch('/openapi.json')).text()
    const document = JSON.parse(source) as { info: object; paths: object }
    expect(document.info).toMatchObject({ title: 'The store' })
    expect(Object.keys(document.paths).length).toBeGreaterThanOrEqual(12)
    const config = await createConfig({ extends: ['recommended'] })
    expect(await lintFromString({ source, config })).toEqual([])
    const broken = JSON.stringify({ ...document, paths: { '/x/{id}': { get: {} } } })
    expect(await lintFromString({ source: broken, config })).not.toEqual([])
  })
})

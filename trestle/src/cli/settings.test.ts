import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSettings, shown, storeVariable } from './settings.ts'

const read = (env: Readonly<Record<string, string>>) => readSettings(env, '/here', '/project')

describe('the settings', () => {
  it('have defaults, and say so', () => {
    const settings = read({})
    expect(settings.gatewayPort).toEqual({ name: 'TRESTLE_GATEWAY_PORT', value: 4000, from: 'default' })
    expect(settings.adminPort.value).toBe(4001)
    expect(settings.dataDir.value).toMatch(/project[/\\]\.trestle$/)
    expect(settings.postgresUrl.value).toBeUndefined()
    expect(settings.storeUrls.size).toBe(0)
  })

  it('come from the environment, where an empty variable counts as none', () => {
    const settings = read({ TRESTLE_GATEWAY_PORT: '0', TRESTLE_ADMIN_PORT: '', TRESTLE_DATA_DIR: 'data' })
    expect(settings.gatewayPort).toMatchObject({ value: 0, from: 'environment' })
    expect(settings.adminPort).toMatchObject({ value: 4001, from: 'default' })
    expect(settings.dataDir.value).toMatch(/here[/\\]data$/)
  })

  it('take the ports that the package.json of the project names, unless the environment says otherwise', () => {
    const project = mkdtempSync(join(tmpdir(), 'trestle-settings-'))
    const written = (trestle: unknown) => writeFileSync(join(project, 'package.json'), JSON.stringify({ trestle }))
    try {
      written({ gatewayPort: 4100 })
      const settings = readSettings({ TRESTLE_ADMIN_PORT: '5001' }, '/here', project)
      expect(settings.gatewayPort).toEqual({ name: 'TRESTLE_GATEWAY_PORT', value: 4100, from: 'package.json' })
      expect(settings.adminPort).toMatchObject({ value: 5001, from: 'environment' })
      expect(readSettings({ TRESTLE_GATEWAY_PORT: '0' }, '/here', project).gatewayPort.value).toBe(0)
      written({ gatewayPort: 'high' })
      expect(() => readSettings({}, '/here', project)).toThrow(/"gatewayPort".* in .*package\.json must be a port/)
      writeFileSync(join(project, 'package.json'), 'no JSON')
      expect(readSettings({}, '/here', project).gatewayPort.value).toBe(4000)
    } finally {
      rmSync(project, { recursive: true })
    }
  })

  it('name the database of a service', () => {
    const url = 'postgresql://orders@db.example/orders'
    expect(storeVariable('order-history')).toBe('TRESTLE_STORE_ORDER_HISTORY_URL')
    const { storeUrls } = read({ [storeVariable('order-history')]: url })
    expect(storeUrls.get('order-history')?.value).toBe(url)
  })

  it.each([
    ['TRESTLE_GATEWAY_PORT', '65536'],
    ['TRESTLE_GATEWAY_PORT', '40.5'],
    ['TRESTLE_ADMIN_PORT', 'http'],
    ['TRESTLE_LOG_LEVEL', 'loud'],
    ['TRESTLE_POSTGRES_URL', 'mysql://db'],
    ['TRESTLE_STORE_ORDERS_URL', 'nonsense'],
  ])('refuse %s=%s by the name of the variable', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(new RegExp(`^${name} must be`))
  })

  it('keep a secret out of what is said about them', () => {
    expect(() => read({ TRESTLE_POSTGRES_URL: 'mysql://me:hunter2@db' })).toThrow(/^(?!.*hunter2)/s)
    expect(shown('postgresql://me:hunter2@db/x')).toBe('postgresql://me:***@db/x')
    expect(shown('postgresql://db/x?password=hunter2&a=1')).toBe('postgresql://db/x?password=***&a=1')
    expect(shown('/some/folder')).toBe('/some/folder')
  })
})

import { describe, expect, it } from 'vitest'
import { serverSettings } from './server-settings.ts'

const common = { connectionsMax: 10, socketsDir: undefined, port: 5432 }

describe('the settings of an embedded server', () => {
  it('keep what was committed through a crash of the machine', () => {
    const settings = serverSettings({ ...common, durability: 'disk' })
    expect(settings).toContain('fsync=on')
    expect(settings.some((setting) => /^(?:synchronous_commit|full_page_writes)=/.test(setting))).toBe(false)
  })

  it('wait for no disk where nobody will miss the data', () => {
    const settings = serverSettings({ ...common, durability: 'process' })
    expect(settings).toEqual(expect.arrayContaining(['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']))
  })
})

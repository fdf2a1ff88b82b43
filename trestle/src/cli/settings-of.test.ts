import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { recordedIo } from './fixtures/recorded-io.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'trestle-settings-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the settings of a gateway alone', () => {
  it('are those of the environment, else those of its file, whatever else is wrong with that, else the defaults', async () => {
    const file = `
listen: { port: '\${env:PORT}', adminPort: 9 }
store: { dataDir: data, postgresUrl: postgresql://me:hunter2@db/x }
routes: nonsense
`
    writeFileSync(join(folder, 'gateway.yaml'), file)
    const io = recordedIo({ cwd: folder, env: { PORT: '8080', TRESTLE_ADMIN_PORT: '4011' } })
    expect(await runCli(['config', '--json'], io)).toBe(0)
    expect(JSON.parse(io.said.out)).toMatchObject([
      { name: 'system', value: join(folder, 'gateway.yaml'), from: './gateway.yaml' },
      { name: 'TRESTLE_GATEWAY_PORT', value: 8080, from: 'its file' },
      { name: 'TRESTLE_ADMIN_PORT', value: 4011, from: 'environment' },
      { name: 'TRESTLE_DATA_DIR', value: join(folder, 'data'), from: 'its file' },
      { name: 'TRESTLE_LOG_LEVEL', value: 'info', from: 'default' },
      { name: 'TRESTLE_POSTGRES_URL', value: 'postgresql://me:***@db/x', from: 'its file' },
    ])
  })
})

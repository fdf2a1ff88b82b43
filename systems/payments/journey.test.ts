import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type RunningCommand, startCommand } from 'trestle/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('.', import.meta.url))
const hasCurl = spawnSync('curl', ['--version']).status === 0

describe('the payment system as `trestle start` runs it', () => {
  let payments: RunningCommand
  beforeAll(async () => {
    const env = { TRESTLE_LOG_LEVEL: 'debug', WALLETS_PASSWORD_BLOCKS: '1024' }
    payments = await startCommand(['start', folder, '--topology', 'merged'], { env })
  })
  afterAll(() => payments?.stop())

  it.skipIf(!hasCurl)('does what its README shows, and writes no secret into its log', async () => {
    const readme = await readFile(new URL('./README.md', import.meta.url), 'utf8')
    const journey = /^pay=http[^]*?(?=^```)/m.exec(readme)?.[0] ?? ''
    expect(journey.match(/\bcurl\b/g)?.length).toBeGreaterThan(9)
    const ending = '\necho; echo "token $token"; echo "ada $ada"; echo "capture $capture"\n'
    const script = journey.replaceAll('http://127.0.0.1:4100', payments.url) + ending
    const { stdout } = await promisify(execFile)('sh', ['-c', script])
    const value = (name: string) => new RegExp(`^${name} (\\S+)$`, 'm').exec(stdout)?.[1] ?? 'nothing'
    expect(value('capture')).toMatch(/^[0-9a-f-]{36}$/)
    const entries = stdout.split('\n').findLast((line) => line.includes('"items"')) ?? ''
    expect(entries).toMatch(/"type":"CREDIT","amount":\{"currency_code":"GBP","value":"19.99"\}/)
    expect(entries).toMatch(/"type":"DEBIT","amount":\{"currency_code":"GBP","value":"5.00"\}/)

    await payments.stop()
    const said = payments.said()
    // The log was read, and the requests are in it.
    expect(said).toContain('"operation":"orders.refundCapture"')
    const secrets = [value('token'), value('ada'), 'store-development-secret', 'correct horse battery']
    for (const secret of secrets) expect(said).not.toContain(secret)
    expect(secrets[0]).toMatch(/^client_/)
    expect(secrets[1]).toMatch(/^payer_/)
  })
})

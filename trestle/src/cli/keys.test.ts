import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileURLToPath } from 'node:url'
import { startAdmin } from '../admin/index.ts'
import { local, type TestSystem } from '../testing/index.ts'
import { recordedIo } from './fixtures/recorded-io.ts'
import { runCli } from './run-cli.ts'

const priced = new URL('../access/fixtures/priced/system.ts', import.meta.url)

describe('keys, plans and usage on the command line', () => {
  let system: TestSystem
  const trestle = async (...args: readonly string[]) => {
    const cwd = fileURLToPath(new URL('./', priced))
    const io = recordedIo({ cwd, env: { TRESTLE_DATA_DIR: system.dataDir } })
    const status = await runCli(args, io)
    return { status, ...io.said }
  }
  const statusOf = async (secret: string) =>
    (await system.fetch('/lookup/1', { headers: { 'x-api-key': secret } })).status

  beforeAll(async () => {
    system = await local.start(priced, { admin: startAdmin })
  })
  afterAll(() => system.stop())

  it('make a key, show it once alone on stdout, rotate it and end it', async () => {
    const made = await trestle('keys', 'create', 'first app', '--owner', 'ada', '--plan', 'free', '--scope', 'a', 'b')
    expect(made.status).toBe(0)
    expect(made.out).toMatch(/^trs_live_[0-9A-Za-z]{36}\n$/)
    const secret = made.out.trim()
    const id = /id is (\S+)\./.exec(made.err)?.[1] ?? ''
    expect(await statusOf(secret)).toBe(200)
    const listed = await trestle('keys', 'list', '--owner', 'ada')
    expect(listed.out).toMatch(/^ID +NAME +OWNER +KEY +PLAN +STATE +LAST USED +EXPIRES$/m)
    expect(listed.out).toContain(`first app   ada     ${secret.slice(0, 13)}…   free   enabled`)
    expect(listed.out).not.toContain(secret)
    const rotated = await trestle('keys', 'rotate', id, '--grace', '2 hours', '--json')
    expect(JSON.parse(rotated.out)).toMatchObject({ key: { id, scopes: ['a', 'b'] } })
    expect(await statusOf((JSON.parse(rotated.out) as { secret: string }).secret)).toBe(200)
    expect(await trestle('keys', 'disable', id)).toMatchObject({ status: 0, out: `${id} has been disabled\n` })
    expect(await trestle('keys', 'enable', id)).toMatchObject({ status: 0, out: `${id} has been enabled\n` })
    expect(await trestle('keys', 'revoke', id)).toMatchObject({ status: 0, out: `${id} has been revoked\n` })
    expect((await trestle('keys', 'list')).out).toContain('revoked')
    const again = await trestle('keys', 'rotate', id)
    expect(again).toMatchObject({ status: 5, out: '' })
    expect(again.err).toContain('key_revoked')
    expect((await trestle('keys', 'create', 'x')).status).toBe(2)
    expect((await trestle('keys', 'rotate', id, '--grace', 'soon')).status).toBe(2)
    expect((await trestle('keys', 'create', 'x', '--owner', 'y', '--expires', 'tomorrow')).status).toBe(2)
  })

  it('make, show and remove a plan, and leave those of the configuration alone', async () => {
    const args = ['--route', 'lookup.find', '--quota', '100/day', '5/month/key', '--limit', '1/1s', '100/60s/20']
    expect(await trestle('plans', 'set', 'trial', ...args)).toMatchObject({ status: 0 })
    const { out } = await trestle('plans', 'list')
    expect(out).toMatch(/^free +Free +lookup\.find +40\/month +- +configuration$/m)
    expect(out).toMatch(/^trial +- +lookup\.find +100\/day, 5\/month per key +1\/1s, 100\/60s burst 20 +operator$/m)
    expect(await trestle('plans', 'remove', 'trial')).toMatchObject({ status: 0 })
    const refused = await trestle('plans', 'remove', 'free')
    expect(refused).toMatchObject({ status: 5, out: '' })
    expect(refused.err).toContain('plan_declared')
    expect((await trestle('plans', 'set', 'x', '--quota', '5')).status).toBe(2)
  })

  it('make no key that has expired already', async () => {
    const past = await trestle('keys', 'create', 'late', '--owner', 'ada', '--expires', '2020-01-31')
    expect(past).toMatchObject({ status: 2, out: '' })
    expect(past.err).toContain('That is over already')
  })

  it('show how much was used', async () => {
    const made = await trestle('keys', 'create', 'used', '--owner', 'eve', '--plan', 'premium', '--json')
    const { secret } = JSON.parse(made.out) as { secret: string }
    for (let n = 0; n < 3; n += 1) expect(await statusOf(secret)).toBe(200)
    const usage = () => trestle('usage', '--owner', 'eve', '--by', 'total', '--group', 'route', 'status')
    await expect.poll(async () => (await usage()).out, { timeout: 10_000 }).toMatch(/all +lookup\.find +2xx +3 +3$/m)
    const [row] = JSON.parse((await trestle('usage', '--owner', 'eve', '--json')).out) as { requests: number }[]
    expect(row).toMatchObject({ requests: 3, statusClass: '2xx' })
    expect((await trestle('usage', '--by', 'week')).status).toBe(2)
  })
})

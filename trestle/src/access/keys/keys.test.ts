import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { access } from '../../gateway/access/contract.ts'
import { isKeyFormed } from '../../gateway/access/key-format.ts'
import { type StartedServices, startServices } from '../../testing/start-services.ts'
import service from '../service.ts'
import type { AccessTables } from '../tables.ts'

let services: StartedServices
beforeAll(async () => {
  services = await startServices([service])
})
afterAll(() => services[Symbol.asyncDispose]())

const ask = () => services.client(access)
const recordOf = async (secret: string) =>
  (await ask().lookUpKey({ hash: createHash('sha256').update(secret).digest('hex') })).record
const make = (owner = 'ada') => ask().createKey({ name: 'first', owner, scopes: ['read'] })
const changesSince = (since: number) => ask().changes({ since })

describe('a key', () => {
  it('is shown once, and only its hash is kept', async () => {
    const { key, secret } = await make()
    expect(secret).toMatch(/^trs_live_[0-9A-Za-z]{36}$/)
    expect(isKeyFormed(secret)).toBe(true)
    expect(key).toMatchObject({ owner: 'ada', enabled: true, prefix: secret.slice(0, 13), lastUsedAt: null })
    const { db } = services.store<AccessTables>('gateway-access')
    const kept = JSON.stringify([
      await db.selectFrom('api_keys').selectAll().execute(),
      await db.selectFrom('api_key_secrets').selectAll().execute(),
      await ask().findKey({ id: key.id }),
    ])
    expect(kept).not.toContain(secret.slice(0, 20))
    expect(await recordOf(secret)).toEqual({
      id: key.id,
      owner: 'ada',
      plan: null,
      scopes: ['read'],
      state: 'valid',
      expiresAtMs: null,
    })
    expect(await recordOf(`${secret}x`)).toBeNull()
  })

  it('has two secrets while it is rotated, and never three', async () => {
    const first = await make()
    const second = await ask().rotateKey({ id: first.key.id, graceMs: 60_000 })
    expect(second.key).toMatchObject({ id: first.key.id, prefix: second.secret.slice(0, 13) })
    expect((await recordOf(first.secret))?.expiresAtMs).toBeGreaterThan(0)
    expect((await recordOf(second.secret))?.expiresAtMs).toBeNull()
    const third = await ask().rotateKey({ id: first.key.id })
    const now = Date.now() + 5_000
    expect((await recordOf(first.secret))?.expiresAtMs).toBeLessThan(now)
    expect((await recordOf(second.secret))?.expiresAtMs).toBeGreaterThan(now)
    expect((await recordOf(third.secret))?.expiresAtMs).toBeNull()
  })

  it('forgets a secret long after it was rotated out', async () => {
    const { key, secret } = await make()
    const { secret: next } = await ask().rotateKey({ id: key.id, graceMs: 0 })
    await services.runJob('gateway-access', 'forget-secrets')
    expect(await recordOf(secret)).not.toBeNull()
    services.pass(31 * 86_400_000)
    await services.runJob('gateway-access', 'forget-secrets')
    expect(await recordOf(secret)).toBeNull()
    expect((await recordOf(next))?.state).toBe('valid')
  })

  it('ends when it is revoked, for good, however often that is said', async () => {
    const { key, secret } = await make()
    await ask().revokeKey({ id: key.id })
    const { revokedAt } = await ask().findKey({ id: key.id })
    await ask().revokeKey({ id: key.id })
    expect((await ask().findKey({ id: key.id })).revokedAt).toBe(revokedAt)
    expect((await recordOf(secret))?.state).toBe('revoked')
    await ask().updateKey({ id: key.id, enabled: true })
    expect((await recordOf(secret))?.state).toBe('revoked')
    expect(await ask().rotateKey.try({ id: key.id })).toMatchObject({ error: { code: 'key_revoked' } })
    expect(await ask().revokeKey.try({ id: 'nobody' })).toMatchObject({ error: { code: 'key_not_found' } })
  })

  it('is switched off and on, and ends at its time', async () => {
    const { key, secret } = await make()
    await ask().updateKey({ id: key.id, enabled: false })
    expect((await recordOf(secret))?.state).toBe('disabled')
    await ask().updateKey({ id: key.id, enabled: true, expiresAt: '2031-01-01T00:00:00Z' })
    expect(await recordOf(secret)).toMatchObject({ state: 'valid', expiresAtMs: Date.UTC(2031, 0, 1) })
    await ask().updateKey({ id: key.id, expiresAt: null, name: 'second' })
    expect(await ask().findKey({ id: key.id })).toMatchObject({ name: 'second', expiresAt: null })
    expect(await ask().updateKey({ id: key.id })).toMatchObject({ name: 'second' })
  })

  it('can be only on a plan that there is, and holds it', async () => {
    await ask().putPlan({ name: 'small' })
    const { key } = await ask().createKey({ name: 'x', owner: 'eve', plan: 'small' })
    expect(await ask().createKey.try({ name: 'x', owner: 'eve', plan: 'none' })).toMatchObject({
      error: { code: 'plan_not_found' },
    })
    expect(await ask().updateKey.try({ id: key.id, plan: 'none' })).toMatchObject({ error: { code: 'plan_not_found' } })
    expect(await ask().removePlan.try({ name: 'small' })).toMatchObject({ error: { code: 'plan_in_use' } })
    await ask().updateKey({ id: key.id, plan: null })
    await ask().removePlan({ name: 'small' })
    expect(await ask().removePlan.try({ name: 'small' })).toMatchObject({ error: { code: 'plan_not_found' } })
  })

  it('stands in a list of its owner, newest first, that is the same in pages', async () => {
    const ids: string[] = []
    for (let n = 0; n < 5; n += 1) ids.unshift((await make('lister')).key.id)
    const first = await ask().listKeys({ owner: 'lister', limit: 3 })
    const second = await ask().listKeys({ owner: 'lister', limit: 3, cursor: first.next as string })
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids)
    expect(second.next).toBeNull()
    expect(await ask().listKeys.try({ cursor: 'bm8' })).toMatchObject({ error: { code: 'cursor_invalid' } })
  })
})

describe('the feed of changes', () => {
  it('names each key that changed since, and the plans when one did', async () => {
    const [a, b] = [await make(), await make()]
    const start = await changesSince(0)
    expect(start.reset).toBe(true)
    const { sequence } = start
    expect(await changesSince(sequence)).toEqual({ sequence, reset: false, keyIds: [], plans: null })
    await ask().updateKey({ id: a.key.id, scopes: [] })
    await ask().revokeKey({ id: b.key.id })
    const changed = await changesSince(sequence)
    expect(changed).toMatchObject({ sequence: sequence + 2, reset: false, plans: null })
    expect(changed.keyIds.toSorted()).toEqual([a.key.id, b.key.id].toSorted())
    await ask().putPlan({ name: 'seen', quotas: [{ per: 'day', allow: 3 }] })
    const plans = (await changesSince(changed.sequence)).plans
    expect(plans?.find(({ name }) => name === 'seen')).toMatchObject({
      quotas: [{ per: 'day', allow: 3, of: 'owner' }],
      declared: false,
    })
    await ask().removePlan({ name: 'seen' })
  })

  it('shows a number never before the ones below it, with changes at the same time', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => make()))
    let { sequence } = await changesSince(0)
    const seen = new Set<string>()
    const last = sequence + keys.length
    const reading = (async () => {
      while (sequence < last) {
        const next = await changesSince(sequence)
        expect(next.reset).toBe(false)
        for (const id of next.keyIds) seen.add(id)
        sequence = next.sequence
      }
    })()
    await Promise.all(keys.map(({ key }) => ask().updateKey({ id: key.id, name: 'changed' })))
    await reading
    expect(seen).toEqual(new Set(keys.map(({ key }) => key.id)))
  })

  it('says so when changes were forgotten, or are of another database', async () => {
    const { sequence } = await changesSince(0)
    const { key } = await make()
    await ask().updateKey({ id: key.id, name: 'old' })
    expect(await changesSince(sequence)).toMatchObject({ reset: false })
    services.pass(2 * 3_600_000)
    await services.runJob('gateway-access', 'forget-changes')
    expect(await changesSince(sequence)).toMatchObject({ reset: true, sequence: sequence + 1 })
    expect(await changesSince(sequence + 1)).toMatchObject({ reset: false })
    expect(await changesSince(sequence + 1_000)).toMatchObject({ reset: true, sequence: sequence + 1 })
  })
})

describe('plans', () => {
  it('of the configuration cannot be changed by an operator until they are declared no more', async () => {
    const free = { name: 'free', title: 'Free', routes: ['a.*'], quotas: [], limits: [{ allow: 1, windowMs: 1_000 }] }
    await ask().declarePlans({ plans: [free] })
    const { sequence } = await changesSince(0)
    await ask().declarePlans({ plans: [free] })
    expect((await changesSince(sequence)).sequence).toBe(sequence)
    expect(await ask().listPlans({})).toContainEqual({ ...free, declared: true })
    expect(await ask().putPlan.try({ name: 'free' })).toMatchObject({ error: { code: 'plan_declared' } })
    expect(await ask().removePlan.try({ name: 'free' })).toMatchObject({ error: { code: 'plan_declared' } })
    await ask().declarePlans({ plans: [] })
    expect((await changesSince(sequence)).plans).toContainEqual({ ...free, declared: false })
    await ask().putPlan({ name: 'free', title: null })
    await ask().removePlan({ name: 'free' })
  })
})

import { describe, expect, it } from 'vitest'
import type { ProviderArgs } from './provider.ts'
import { createSigningKeys } from './signing-keys.ts'

function setup() {
  let [at, asked] = [1_000_000, 0]
  let published = ['first']
  let isAway = false
  const keys = async () => {
    asked += 1
    if (isAway) throw new Error('nobody answers')
    return { keys: published.map((kid) => ({ kid, kty: 'OKP', crv: 'Ed25519', x: 'x' })) }
  }
  const args = { call: { provider: { keys } }, now: () => at } as unknown as ProviderArgs
  const signingKeys = createSigningKeys()
  return {
    find: async (kid: string) => (await signingKeys.find(args, kid))?.kid,
    asked: () => asked,
    publish: (...kids: string[]) => void (published = kids),
    pass: (ms: number) => void (at += ms),
    away: (is: boolean) => void (isAway = is),
  }
}

describe('the keys of the payment system', () => {
  it('are asked for once, for everybody who waits for them', async () => {
    const { find, asked } = setup()
    expect(await Promise.all([find('first'), find('first'), find('other')])).toEqual(['first', 'first', undefined])
    expect(asked()).toBe(1)
  })

  it('are asked for again for one that is unknown, but not as often as a stranger likes', async () => {
    const { find, asked, publish, pass } = setup()
    await find('first')
    for (let n = 0; n < 20; n++) await find(`made up ${n}`)
    expect(asked()).toBe(1)
    publish('second')
    pass(10_000)
    expect([await find('second'), asked()]).toEqual(['second', 2])
  })

  it('are asked for at most once a second while nobody answers', async () => {
    const { find, asked, pass, away } = setup()
    away(true)
    await expect(find('first')).rejects.toThrow('nobody answers')
    expect(await find('first')).toBeUndefined()
    expect(asked()).toBe(1)
    away(false)
    pass(1_000)
    expect(await find('first')).toBe('first')
  })

  it('do not wait for the hour by which the clock was put back', async () => {
    const { find, publish, pass } = setup()
    await find('first')
    publish('second')
    pass(-3_600_000)
    expect(await find('second')).toBe('second')
  })
})

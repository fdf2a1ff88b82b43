import { describe, expect, it } from 'vitest'
import { passwordCost, passwords, usualCost } from './password.ts'

const cheap = () => ({ blocks: 1024, blockFactor: 8, lanes: 1 })

describe('a password', () => {
  it('is right against its own hash only', async () => {
    const { hash, verify } = passwords({ cost: cheap })
    const stored = await hash('correct horse battery')
    expect(await verify('correct horse battery', stored)).toBe(true)
    expect(await verify('correct horse batterz', stored)).toBe(false)
    expect(await verify('', stored)).toBe(false)
  })

  it('gets a salt of its own, so that equal passwords have different hashes', async () => {
    const { hash } = passwords({ cost: cheap })
    expect(await hash('correct horse battery')).not.toBe(await hash('correct horse battery'))
  })

  it('keeps the cost in its hash, so that older hashes stay right when the cost rises', async () => {
    const stored = await passwords({ cost: cheap }).hash('correct horse battery')
    expect(stored).toMatch(/^scrypt\$N=1024,r=8,p=1\$/)
    expect(
      await passwords({ cost: () => ({ ...cheap(), blocks: 2048 }) }).verify('correct horse battery', stored),
    ).toBe(true)
  })

  it('costs at least 32 MiB unless the environment says otherwise', () => {
    expect(128 * usualCost.blocks * usualCost.blockFactor).toBeGreaterThanOrEqual(32 * 2 ** 20)
    expect(passwordCost({})).toBe(usualCost)
    expect(passwordCost({ STORE_PASSWORD_BLOCKS: '4096' }).blocks).toBe(4096)
    for (const wrong of ['0', '512', '3000', '-1024', 'few']) {
      expect(() => passwordCost({ STORE_PASSWORD_BLOCKS: wrong })).toThrow(/STORE_PASSWORD_BLOCKS/)
    }
  })

  it('is one password however its characters are coded', async () => {
    const { hash, verify } = passwords({ cost: cheap })
    expect(await verify('cafe\u0301 au lait', await hash('caf\u00e9 au lait'))).toBe(true)
  })

  it('is wrong without an account, and the work is done all the same', async () => {
    const { verify } = passwords({ cost: () => ({ blocks: 2 ** 13, blockFactor: 8, lanes: 1 }) })
    const before = process.cpuUsage()
    expect(await verify('correct horse battery', undefined)).toBe(false)
    expect(process.cpuUsage(before).user).toBeGreaterThan(5_000)
  })

  it('is refused, not queued without end, in a flood', async () => {
    const { verify } = passwords({ cost: cheap, runningMax: 1, waitingMax: 2 })
    const results = await Promise.all(Array.from({ length: 10 }, () => verify('correct horse battery', undefined)))
    expect(results.filter((result) => result === undefined).length).toBe(7)
    expect(await verify('correct horse battery', undefined)).toBe(false)
  })

  it('is still checked while new ones come in a flood', async () => {
    const { hash, verify } = passwords({ cost: cheap, waitingMax: 8 })
    const flood = Array.from({ length: 100 }, () => hash('correct horse battery'))
    const checks = Array.from({ length: 8 }, () => verify('correct horse battery', undefined))
    expect(await Promise.all(checks)).toEqual(Array(8).fill(false))
    expect((await Promise.all(flood)).filter((result) => result !== undefined).length).toBe(5)
  })

  it('is not computed for somebody who has gone', async () => {
    const { hash, verify } = passwords({ cost: cheap, runningMax: 1 })
    const gone = new AbortController()
    const first = verify('correct horse battery', undefined)
    const left = [hash('correct horse battery', gone.signal), verify('correct horse battery', undefined, gone.signal)]
    gone.abort()
    expect(await first).toBe(false)
    expect(await Promise.all(left)).toEqual([undefined, undefined])
    expect(await hash('correct horse battery')).toBeDefined()
  })
})

import { describe, expect, it } from 'vitest'
import { insideTransaction, transactionScope } from './transaction-scope.ts'

describe('transactionScope', () => {
  it('marks what the work awaits, and nothing beside it', async () => {
    expect(insideTransaction()).toBe(false)
    const beside = Promise.resolve().then(() => insideTransaction())
    const inside = await transactionScope.run(async () => {
      await Promise.resolve()
      return insideTransaction()
    })
    expect([inside, await beside, insideTransaction()]).toEqual([true, false, false])
  })

  it('ends with the work, also for what the work left running', async () => {
    const release = Promise.withResolvers<void>()
    let left: Promise<boolean> | undefined
    await transactionScope.run(() => {
      left = release.promise.then(() => insideTransaction())
      return Promise.resolve()
    })
    release.resolve()
    expect(await left).toBe(false)
  })

  it('ends when the work fails', async () => {
    const failed = transactionScope.run(() => Promise.reject(new Error('no')))
    await expect(failed).rejects.toThrow('no')
    expect(insideTransaction()).toBe(false)
  })

  it('can be left for work that belongs to nobody', async () => {
    const outside = await transactionScope.run(() => Promise.resolve(transactionScope.outside(insideTransaction)))
    expect(outside).toBe(false)
  })
})

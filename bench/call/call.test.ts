import { describe, expect, it } from 'vitest'
import { contenders } from './contenders.ts'

describe('the benchmark of a call', () => {
  it.each(contenders)('asks $name for the same answer', async (contender) => {
    expect(await contender.ask('o-7')).toMatchObject({
      id: 'o-7',
      status: 'pending',
      total: { amount: 22_449, currency: 'EUR' },
    })
  })
})

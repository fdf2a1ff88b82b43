import { describe, expect, it } from 'vitest'
import { PoolBudget } from './pool-budget.ts'

describe('the sum of all pools', () => {
  it('counts the processes that there are when it is asked, so that scaling down gives connections back', () => {
    const budget = new PoolBudget(50, 10, 'Give less.')
    let orders = 4
    budget.reserve('orders', 8, () => orders)
    const carts = () => budget.reserve('carts', 10, () => 1)
    expect(carts).toThrow('carts wants 1 x 10 connections; all pools together would hold 42')
    orders = 1
    expect(carts).not.toThrow()
  })
})

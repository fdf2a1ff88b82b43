import { describe, expect, it } from 'vitest'
import { plan } from './plan.ts'
import { checkPlanRoutes, includesRoute } from './plan-routes.ts'

const check = (...routes: readonly string[]) => checkPlanRoutes({ free: plan({ routes }) }, ['lookup.find'])

describe('the routes of a plan', () => {
  it('are names, all of a contract, or all', () => {
    const names = ['lookup.find', 'lookup.batch', 'GET /legacy/*']
    const included = (pattern: string) => names.filter((name) => includesRoute(pattern, name))
    expect(included('lookup.find')).toEqual(['lookup.find'])
    expect(included('lookup.*')).toEqual(['lookup.find', 'lookup.batch'])
    expect(included('GET /legacy/*')).toEqual(['GET /legacy/*'])
    expect(included('*')).toEqual(names)
    expect(included('look.*')).toEqual([])
  })

  it('must be there when a configuration declares the plan', () => {
    expect(() => check('lookup.find', 'lookup.*', '*')).not.toThrow()
    expect(() => check('lookup.find', 'lookup.fnid')).toThrow('the plan free includes lookup.fnid, but no route')
    expect(() => checkPlanRoutes({ free: plan() }, [])).not.toThrow()
  })
})

import { describe, expect, it } from 'vitest'
import { testTotals } from './test-totals.ts'

const file = (status: string, ...tests: readonly string[]) => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
})

describe('the totals of a test run', () => {
  it('count the tests of every file', () => {
    const testResults = [file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed', 'skipped')]
    expect(testTotals({ success: false, testResults })).toEqual({ passed: 3, failed: 1 })
  })

  it('count a file that did not load as a failure', () => {
    const testResults = [file('passed', 'passed'), file('failed')]
    expect(testTotals({ success: false, testResults })).toEqual({ passed: 1, failed: 1 })
  })

  it('count a run that failed for another reason as a failure', () => {
    expect(testTotals({ success: false, testResults: [file('passed', 'passed')] })).toEqual({ passed: 1, failed: 1 })
  })
})

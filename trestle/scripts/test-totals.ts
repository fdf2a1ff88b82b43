/** The part of the test runner's JSON report that is counted. */
export interface TestReport {
  readonly success: boolean
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

/** Tests that passed and failed. A file that failed without a failed test (it did not even load) counts as one. */
export function testTotals(report: TestReport): { readonly passed: number; readonly failed: number } {
  const files = report.testResults.map(({ status, assertionResults }) => {
    const of = (wanted: string) => assertionResults.filter((test) => test.status === wanted).length
    const failed = of('failed')
    return { passed: of('passed'), failed: failed === 0 && status === 'failed' ? 1 : failed }
  })
  const passed = files.reduce((sum, file) => sum + file.passed, 0)
  const failed = files.reduce((sum, file) => sum + file.failed, 0)
  return { passed, failed: failed === 0 && !report.success ? 1 : failed }
}

import { readFile } from 'node:fs/promises'
import { type TestReport, testTotals } from './test-totals.ts'

/** Prints `N passed, N failed` from the test runner's JSON report; fails when it is missing or says that a test failed. */
const [file = ''] = process.argv.slice(2)
const report = await readFile(file, 'utf8')
  .then((text) => JSON.parse(text) as TestReport)
  .catch(() => undefined)
const { passed, failed } = report === undefined ? { passed: 0, failed: 1 } : testTotals(report)
if (report === undefined) process.stderr.write('the test runner wrote no report\n')
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Check, checks, type Outcome } from './check/checks.ts'

const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')

interface Row extends Outcome {
  readonly name: string
  readonly seconds: number
}

/** Runs every check, as many at once as there are cores, and prints a table and what the failed ones said. */
async function main(): Promise<void> {
  const rows = await runAll(checks, Math.max(2, availableParallelism()))
  for (const row of rows) if (!row.passed) process.stdout.write(`\n--- ${row.name} ---\n${row.output.trim()}\n`)
  process.stdout.write(`\n${table(rows)}\n`)
  process.exitCode = rows.length > 0 && rows.every((row) => row.passed) ? 0 : 1
}

async function runAll(all: readonly Check[], atOnce: number): Promise<readonly Row[]> {
  const waiting = all.entries()
  const rows: Row[] = []
  const worker = async () => {
    for (const [index, check] of waiting) rows[index] = await runOne(check)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return rows
}

async function runOne(check: Check): Promise<Row> {
  const started = performance.now()
  const outcome = await check.run(root).catch((error: unknown) => ({ passed: false, saw: '', output: String(error) }))
  return { name: check.name, seconds: (performance.now() - started) / 1000, ...outcome }
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ name, passed, seconds, saw }) =>
      `${name.padEnd(9)}${(passed ? 'ok' : 'FAILED').padEnd(8)}${seconds.toFixed(1).padStart(5)} s   ${saw}`,
  )
  return ['check    result    time   looked at', ...lines].join('\n')
}

await main()

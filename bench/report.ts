import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'

/** Figures of one benchmark, said with the machine and the code that they hold for. */
export interface Report {
  readonly benchmark: string
  readonly results: readonly Readonly<Record<string, unknown>>[]
}

/** Writes a result file, when one is asked for with `--json FILE`. */
export function writeReport(file: string | undefined, { benchmark, results }: Report): void {
  if (file === undefined) return
  const [cpu] = cpus()
  const machine = {
    date: new Date().toISOString(),
    cpu: `${cpus().length} x ${cpu?.model ?? 'unknown'}`,
    kernel: release(),
    node: process.version,
    commit: commit(),
  }
  writeFileSync(file, `${JSON.stringify({ benchmark, ...machine, results }, undefined, 2)}\n`)
}

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

/** Columns as wide as their widest cell; numbers to the right. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  for (const row of rows) {
    const cells = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
    console.log(cells.join('   ').trimEnd())
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim()
}

/** `undefined` outside a clone. */
function commit(): string | undefined {
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ' and changes'}`
  } catch {
    return undefined
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { checkInvariants, type CheckOptions } from './check-invariants.ts'
import type { InvariantReport } from './invariant.ts'

/**
 * The life of a checker's process: it watches until a line comes in, or its input ends; then it waits for what must
 * settle, prints its report as one line of JSON and exits with status 1 when something does not hold.
 * @example await runChecker({ invariants: storeInvariants(settings) })
 */
export async function runChecker(options: Omit<CheckOptions, 'healed'>): Promise<void> {
  // Timers of the clock do not keep a process alive.
  const alive = setInterval(() => {}, 60_000)
  const healed = new Promise<void>((resolve) => {
    process.stdin.once('data', () => resolve())
    process.stdin.once('end', () => resolve())
  })
  try {
    const report = await checkInvariants({ ...options, healed })
    await new Promise<void>((resolve) => process.stdout.write(`${JSON.stringify(report)}\n`, () => resolve()))
    process.exitCode = report.holds ? 0 : 1
  } finally {
    clearInterval(alive)
    process.stdin.destroy()
  }
}

/** A checker that watches in a process of its own. */
export interface RunningChecker {
  /** Says that the load has ended and all faults have healed; resolves with the report. */
  readonly healed: () => Promise<InvariantReport>
  /** Ends it; there is no report. */
  readonly kill: () => void
}

/**
 * Starts a program that calls `runChecker`. What it writes to standard error goes to ours.
 * @example const checker = startChecker(fileURLToPath(new URL('./invariants-main.ts', import.meta.url)), [logFile])
 */
export function startChecker(program: string, args: readonly string[], env: NodeJS.ProcessEnv): RunningChecker {
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const said = outputOf(child)
  said.catch(() => {})
  // One that is killed breaks its pipes: what it has not said is missed where its report is waited for.
  for (const pipe of [child.stdin, child.stdout]) pipe?.on('error', () => {})
  return {
    async healed() {
      child.stdin?.write('healed\n')
      const line = (await said).trim()
      if (line === '') throw new Error('the checker ended without a report')
      return JSON.parse(line) as InvariantReport
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

function outputOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
    child.once('error', reject)
    child.once('close', () => resolve(said))
  })
}

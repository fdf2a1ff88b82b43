import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface ToolResult {
  readonly exitCode: number
  /** What it wrote to stdout and stderr, in order of arrival. */
  readonly output: string
  readonly seconds: number
}

/** Runs a tool of the workspace's `node_modules/.bin` and waits for it. */
export async function runTool(name: string, args: readonly string[], cwd: string): Promise<ToolResult> {
  const bin = join(cwd, 'node_modules', '.bin')
  const file = join(bin, process.platform === 'win32' ? `${name}.cmd` : name)
  if (!existsSync(file)) throw new Error(`${name} is not installed here: run npm ci`)
  return runCommand(file, args, cwd, { PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` })
}

/** Longer than anything here takes; what is not done by then hangs. */
const defaultTimeoutMs = 900_000

/** Runs a program and waits for it, at most `timeoutMs`: then it is killed. Nothing is written to its stdin. */
export function runCommand(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  timeoutMs = defaultTimeoutMs,
): Promise<ToolResult> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...env },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (chunk: string) => (output += chunk))
    }
    const timer = setTimeout(() => {
      output += `\nkilled after ${timeoutMs} ms\n`
      child.kill('SIGKILL')
    }, timeoutMs)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ exitCode: code ?? 1, output, seconds: (performance.now() - started) / 1000 })
    })
  })
}

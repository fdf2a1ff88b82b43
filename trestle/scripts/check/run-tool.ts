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

/** Runs a program and waits for it; nothing is written to its stdin. */
export function runCommand(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
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
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ exitCode: code ?? 1, output, seconds: (performance.now() - started) / 1000 })
    })
  })
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from '../build.ts'
import { tryInstalledPackage } from './installed-package.ts'
import { runTool, type ToolResult } from './run-tool.ts'

/** One check of the repository. It passes when its tools say so and when they have looked at something. */
export interface Check {
  readonly name: string
  readonly run: (root: string) => Promise<Outcome>
}

export interface Outcome {
  readonly passed: boolean
  /** What it looked at, `312 files`; shown in the table. */
  readonly saw: string
  /** Shown when it failed. */
  readonly output: string
}

/** Fewer files than this and a check has looked in the wrong place. */
const filesMin = 20

export const checks: readonly Check[] = [
  { name: 'types', run: types },
  { name: 'lint', run: lint },
  { name: 'format', run: format },
  { name: 'unused', run: unused },
  { name: 'package', run: packageLint },
  { name: 'install', run: installed },
]

async function types(root: string): Promise<Outcome> {
  const result = await runTool('tsc', ['--noEmit', '--listFiles', '--pretty', 'false'], root)
  const lines = result.output.split('\n')
  const own = lines.filter((line) => line.startsWith(root) && !line.includes('node_modules'))
  const findings = lines.filter((line) => line !== '' && !/^\/\S+\.[cm]?ts$|^[A-Z]:\\\S+\.[cm]?ts$/.test(line))
  return outcome(result, own.length, findings.join('\n'))
}

async function lint(root: string): Promise<Outcome> {
  const result = await runTool('oxlint', ['--type-aware', '--deny-warnings'], root)
  return outcome(result, numberIn(result.output, /on (\d+) files/))
}

async function format(root: string): Promise<Outcome> {
  const result = await runTool('biome', ['format', '--max-diagnostics=50', '.'], root)
  return outcome(result, numberIn(result.output, /Checked (\d+) files/))
}

async function unused(root: string): Promise<Outcome> {
  const reporter = join(root, 'trestle', 'scripts', 'check', 'knip-count.ts')
  const result = await runTool('knip', ['--reporter', 'symbols', '--reporter', reporter], root)
  return outcome(result, numberIn(result.output, /knip looked at (\d+) files/))
}

/** Builds what is published, then asks two tools whether it can be imported, with types, by those who install it. */
async function packageLint(root: string): Promise<Outcome> {
  const { dist, modules } = await buildOnce()
  const entries = await exportCount(dist)
  const publint = await runTool('publint', ['run', dist, '--strict'], root)
  const attw = await runTool('attw', ['--pack', dist, '--profile', 'esm-only', '--no-emoji', '--no-color'], root)
  const both = { ...publint, exitCode: publint.exitCode || attw.exitCode, output: publint.output + attw.output }
  const judged = outcome(both, modules)
  return { ...judged, saw: `${modules} modules, ${entries} entries`, passed: judged.passed && entries > 0 }
}

/** A project made by the built package, installed from its tarball as users do: its own types and test must pass. */
async function installed(): Promise<Outcome> {
  const { dist, modules } = await buildOnce()
  const result = await tryInstalledPackage(dist)
  const tests = numberIn(result.output, /^. pass (\d+)$/m)
  return { ...outcome(result, modules), saw: `${tests} tests`, passed: result.exitCode === 0 && tests > 0 }
}

let built: ReturnType<typeof build> | undefined

function buildOnce(): ReturnType<typeof build> {
  return (built ??= build())
}

async function exportCount(dist: string): Promise<number> {
  const manifest: unknown = JSON.parse(await readFile(join(dist, 'package.json'), 'utf8'))
  return Object.keys((manifest as { exports: object }).exports).length
}

function outcome(result: ToolResult, files: number, output = result.output): Outcome {
  const sawEnough = files >= filesMin
  const complaint = sawEnough ? '' : `\nlooked at ${files} files only: it must have looked in the wrong place\n`
  return { passed: result.exitCode === 0 && sawEnough, saw: `${files} files`, output: output + complaint }
}

function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0)
}

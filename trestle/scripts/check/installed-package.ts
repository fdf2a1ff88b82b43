import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand, type ToolResult } from './run-tool.ts'

/**
 * What a user does: packs the built package, lets its program write a project, installs that from the tarball and runs
 * the project's types and its test.
 */
export async function tryInstalledPackage(dist: string): Promise<ToolResult> {
  const folder = await mkdtemp(join(tmpdir(), 'trestle-install-'))
  // Where the database's user cannot pass, the data of the project's tests would lie elsewhere, and stay there.
  await chmod(folder, 0o711)
  try {
    const steps = [
      () => runCommand('npm', ['pack', dist, '--silent', '--pack-destination', folder], folder),
      () => runCommand(process.execPath, [join(dist, 'bin', 'trestle.js'), 'init', 'hello'], folder),
      () => dependOnTarball(folder),
      () => npmIn(folder, 'install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'),
      () => npmIn(folder, 'run', 'types'),
      () => npmIn(folder, 'test'),
    ]
    let all: ToolResult = { exitCode: 0, output: '', seconds: 0 }
    for (const step of steps) {
      const { exitCode, output, seconds } = await step()
      all = { exitCode, output: all.output + output, seconds: all.seconds + seconds }
      if (exitCode !== 0) break
    }
    return all
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function npmIn(folder: string, ...args: readonly string[]): Promise<ToolResult> {
  return runCommand('npm', args, join(folder, 'hello'), { CI: 'true' })
}

async function dependOnTarball(folder: string): Promise<ToolResult> {
  const file = join(folder, 'hello', 'package.json')
  const manifest = JSON.parse(await readFile(file, 'utf8')) as { dependencies: Record<string, string> }
  manifest.dependencies['trestle'] = `file:../trestle-${manifest.dependencies['trestle'] ?? ''}.tgz`
  await writeFile(file, JSON.stringify(manifest, undefined, 2))
  return { exitCode: 0, output: '', seconds: 0 }
}

import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { join } from 'node:path'
import type { Account } from './account.ts'
import type { Layout } from './layout.ts'

/** Starts one of PostgreSQL's programs as the server's user, with the libraries it needs. */
export function startProgram(
  program: string,
  args: readonly string[],
  { binaries, librariesDir }: Pick<Layout, 'binaries' | 'librariesDir'>,
  account: Account | undefined,
  options: SpawnOptions,
): ChildProcess {
  return spawn(program, args, {
    ...options,
    cwd: binaries.root,
    env: {
      PATH: process.env['PATH'],
      LC_ALL: 'C',
      TZ: 'UTC',
      LD_LIBRARY_PATH: `${librariesDir}:${join(binaries.root, 'lib')}`,
      ...(process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'] } : {}),
    },
    ...(account?.differs === true ? { uid: account.uid, gid: account.gid } : {}),
  })
}

/** Runs a program to its end; rejects with the end of what it said when it fails. */
export function runProgram(
  program: string,
  args: readonly string[],
  layout: Pick<Layout, 'binaries' | 'librariesDir'>,
  account: Account | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = startProgram(program, args, layout, account, { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    const listen = (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000)
    }
    child.stdout?.on('data', listen)
    child.stderr?.on('data', listen)
    child.once('error', reject)
    child.once('close', (status) => {
      if (status === 0) resolve()
      else reject(new Error(`${program} ended with status ${status}: ${said.trim()}`))
    })
  })
}

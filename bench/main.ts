/**
 * Runs a benchmark: `npm run bench -- NAME [its options]`. Each stands in a folder of its own, with a `main.ts`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const folder = import.meta.dirname
const programOf = (name: string) => join(folder, name, 'main.ts')
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(programOf(entry.name)))
  .map((entry) => entry.name)
const [name = '', ...options] = process.argv.slice(2)
if (names.includes(name)) {
  process.exitCode = spawnSync(process.execPath, [programOf(name), ...options], { stdio: 'inherit' }).status ?? 1
} else {
  console.error(`usage: npm run bench -- NAME [options]\nbenchmarks: ${names.join(', ')}`)
  process.exitCode = 2
}

import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Binaries, binariesAt } from './binaries.ts'

/** Copies the programs to `root`, readable for all, unless the same ones are there. */
export function copyBinaries(from: Binaries, root: string): Binaries {
  const { size, mtimeMs } = statSync(from.postgres)
  const mark = `.copied-${size}-${Math.trunc(mtimeMs)}`
  if (!existsSync(join(root, mark))) {
    const fresh = `${root}.${process.pid}`
    rmSync(fresh, { recursive: true, force: true })
    cpSync(from.root, fresh, { recursive: true, filter: (path) => !path.endsWith('.a') })
    mkdirSync(join(fresh, mark))
    openForAll(fresh)
    rmSync(root, { recursive: true, force: true })
    renameSync(fresh, root)
  }
  return binariesAt(root)
}

function openForAll(path: string): void {
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) return
  if (!stat.isDirectory()) return chmodSync(path, (stat.mode & 0o100) === 0 ? 0o644 : 0o755)
  chmodSync(path, 0o755)
  for (const name of readdirSync(path)) openForAll(join(path, name))
}

const libraryForm = /^(lib[\w-]+\.so\.\d+)\.[\d.]+$/

/**
 * The loader asks for `libpq.so.5`, the package has `libpq.so.5.18` and an install script that links the one to the
 * other. Scripts may be switched off and node_modules read-only, so the links are made in a directory of ours.
 */
export function linkLibraries({ root }: Binaries, directory: string): void {
  if (process.platform !== 'linux') return
  mkdirSync(directory, { recursive: true })
  chmodSync(directory, 0o755)
  for (const file of readdirSync(join(root, 'lib'))) {
    const short = libraryForm.exec(file)?.[1]
    if (short === undefined || existsSync(join(root, 'lib', short))) continue
    linkTo(join(root, 'lib', file), join(directory, short))
  }
}

/** Left alone where it is right: another process may be starting its server through it. */
function linkTo(target: string, link: string): void {
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(link) === target) return
  rmSync(link, { force: true })
  symlinkSync(target, link)
}

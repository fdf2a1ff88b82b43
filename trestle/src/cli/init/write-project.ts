import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CliError } from '../cli-error.ts'
import { projectManifest, projectTsconfig } from './project-files.ts'

const nameForm = /^[a-z][a-z0-9-]{0,39}$/

/**
 * Writes the project of `trestle init` into `cwd/name`.
 * @returns its files, sorted
 * @throws CliError `usage` for a name that cannot be one, `folder_not_empty` when there is something already
 */
export async function writeProject(cwd: string, name: string): Promise<readonly string[]> {
  if (!nameForm.test(name)) {
    throw new CliError('usage', `${name} cannot be a name`, {
      remedy: 'Use lower case letters, digits and hyphens, a letter first, at most 40.',
    })
  }
  const folder = join(cwd, name)
  if (existsSync(folder) && (await readdir(folder)).length > 0) {
    throw new CliError('folder_not_empty', `${folder} is there already and is not empty`, {
      remedy: 'Choose another name, or move that folder away.',
    })
  }
  const files = { ...(await templateFiles(name)), ...generatedFiles(name) }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text, { flag: 'wx' })
  }
  return Object.keys(files).toSorted()
}

/** The template stands beside the compiled code, in the workspace and as published. */
const template = fileURLToPath(new URL('../../../template/', import.meta.url))

async function templateFiles(name: string): Promise<Record<string, string>> {
  const found = await readdir(template, { recursive: true, withFileTypes: true })
  const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const read = async (path: string): Promise<[string, string]> => [
    path.slice(template.length).replaceAll('\\', '/'),
    (await readFile(path, 'utf8')).replaceAll('__NAME__', name),
  ]
  return Object.fromEntries(await Promise.all(paths.map(read)))
}

function generatedFiles(name: string): Record<string, string> {
  return {
    'package.json': json(projectManifest(name)),
    'tsconfig.json': json(projectTsconfig),
    '.gitignore': 'node_modules/\n.trestle/\n',
    // Nothing that a project begins with needs an install script; npm asks about each of them otherwise.
    '.npmrc': 'ignore-scripts=true\n',
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CliError } from './cli-error.ts'

export interface FoundSystem {
  /** The file whose default export is the system. */
  readonly file: string
  /** The folder that its data stands in: the nearest one with a package.json. */
  readonly project: string
  /** Why this one. */
  readonly origin: 'argument' | 'package.json' | `./${string}`
}

/**
 * Finds the system that a command is about: the argument (a file, a folder with a system.ts or gateway.yaml, or the name of a folder
 * in `systems/`), else `system.ts` or `gateway.yaml` here, else `"trestle": { "system": "..." }` of the nearest package.json that has it.
 * @throws CliError `system_not_found`
 */
export function findSystem(cwd: string, argument?: string): FoundSystem {
  const system = tryFindSystem(cwd, argument)
  if (system !== undefined) return system
  throw argument === undefined
    ? new CliError(
        'system_not_found',
        `there is no system.ts and no gateway.yaml in ${cwd}, and no package.json that names a system`,
        {
          remedy:
            'Go to its folder, name it (trestle start path/to/system.ts, trestle ps --system path/to/gateway.yaml),\n' +
            'or make a project with: trestle init NAME',
        },
      )
    : new CliError('system_not_found', `there is no system at ${argument}`, {
        remedy: 'Give the path of a system.ts or of a gateway.yaml, or of a folder that holds one.',
      })
}

/** As `findSystem`, `undefined` when there is none. */
export function tryFindSystem(cwd: string, argument?: string): FoundSystem | undefined {
  if (argument !== undefined) return found(systemAt(cwd, argument), 'argument')
  const here = ['system.ts', ...gatewayFiles].find((name) => isFile(join(cwd, name)))
  if (here !== undefined) return found(join(cwd, here), `./${here}`)
  return found(systemOfPackage(cwd), 'package.json')
}

function found(file: string | undefined, origin: FoundSystem['origin']): FoundSystem | undefined {
  if (file === undefined) return undefined
  return { file, project: isGatewayFile(file) ? dirname(file) : projectOf(file), origin }
}

/** Whether a file describes a gateway that stands alone, and not a system. */
export function isGatewayFile(file: string): boolean {
  return /\.(?:ya?ml|json)$/.test(file)
}

/** Looked for where there is no system.ts. */
const gatewayFiles = ['gateway.yaml', 'gateway.yml', 'gateway.json']

function systemAt(cwd: string, argument: string): string | undefined {
  const path = resolve(cwd, argument)
  const candidates = [
    path,
    join(path, 'system.ts'),
    join(path, 'system.js'),
    ...gatewayFiles.map((name) => join(path, name)),
    join(cwd, 'systems', argument, 'system.ts'),
  ]
  return candidates.find(isFile)
}

function systemOfPackage(cwd: string): string | undefined {
  for (const folder of upwards(cwd)) {
    const file = join(folder, 'package.json')
    const named = isFile(file) ? systemNamedIn(file) : undefined
    if (named === undefined) continue
    const system = systemAt(folder, named)
    if (system !== undefined) return system
    throw new CliError('system_not_found', `${file} names the system ${named}, which is not there`, {
      remedy: 'Correct "trestle": { "system": "..." } in that package.json.',
    })
  }
  return undefined
}

function systemNamedIn(file: string): string | undefined {
  try {
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as { trestle?: { system?: unknown } }
    const system = manifest.trestle?.system
    return typeof system === 'string' ? system : undefined
  } catch (cause) {
    throw new CliError('system_not_found', `${file} is not JSON`, { cause, remedy: 'Correct that file.' })
  }
}

function projectOf(file: string): string {
  for (const folder of upwards(dirname(file))) if (existsSync(join(folder, 'package.json'))) return folder
  return dirname(file)
}

function* upwards(start: string): Generator<string> {
  for (let folder = start; ; folder = dirname(folder)) {
    yield folder
    if (dirname(folder) === folder) return
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

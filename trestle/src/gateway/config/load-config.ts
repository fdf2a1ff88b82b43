import { readFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, resolve } from 'node:path'
import type { GatewaySpec } from '../gateway.ts'
import { buildGateway } from './build-gateway.ts'
import { checkFile } from './check-file.ts'
import { type ConfigFault, GatewayConfigError, throwFaults } from './config-fault.ts'
import { nodeAt } from './config-node.ts'
import { fillSecrets } from './fill-secrets.ts'
import type { GatewayFile } from './gateway-schema.ts'
import { readSource } from './read-source.ts'

/** A gateway as its file describes it. */
export interface LoadedConfig {
  readonly name: string
  readonly spec: GatewaySpec
  /** What the file says about where it listens; the rest has its defaults. */
  readonly listen: {
    readonly host: string | undefined
    readonly port: number | undefined
    readonly adminPort: number | undefined
  }
  /** Absolute. */
  readonly dataDir: string | undefined
  readonly postgresUrl: string | undefined
  /** The file itself and all that were read for it, absolute. */
  readonly files: readonly string[]
  /** Takes what came from outside out of a message, for faults that are found when it is put to work. */
  readonly redact: (message: string) => string
}

export interface LoadConfigOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** How the file is called in faults; default: its name. */
  readonly shownAs?: string
}

/**
 * Reads a configuration file and makes the gateway that it describes, as `gateway({...})` in a system.ts would. Opens nothing.
 * @throws GatewayConfigError `config_unreadable`; `config_invalid` with everything that is wrong with it
 */
export function loadConfig(path: string, { env, shownAs = basename(path) }: LoadConfigOptions): LoadedConfig {
  const file = resolve(path)
  const folder = dirname(file)
  const source = readSource(shownAs, textOf(file, shownAs))
  const filled = fillSecrets(source, { env, readFile: (name) => readFileSync(name, 'utf8'), folder })
  const checked = checkFile(source, filled)
  throwFaults(firstOfEachPlace([...filled.faults, ...(checked.ok ? [] : checked.faults)]))
  if (!checked.ok) throw new Error('a file without faults is checked')
  const faults: ConfigFault[] = []
  const spec = buildGateway(checked.file, folder, (at, message) => {
    faults.push(source.fault(nodeAt(source.root, at).node.at, filled.redact(message)))
  })
  throwFaults(faults)
  if (spec === undefined) throw new Error('a gateway without faults is built')
  return {
    ...settingsOf(checked.file, folder),
    spec,
    files: [...new Set([file, ...filled.files, ...documentsOf(checked.file, folder)])],
    redact: filled.redact,
  }
}

/** What is missing need not fit the schema as well. */
function firstOfEachPlace(faults: readonly ConfigFault[]): readonly ConfigFault[] {
  return faults.filter(
    ({ line, column }, at) => at === faults.findIndex((other) => other.line === line && other.column === column),
  )
}

function documentsOf({ upstreams = {} }: GatewayFile, folder: string): readonly string[] {
  return Object.values(upstreams).flatMap(({ openapi }) =>
    openapi === undefined ? [] : [resolve(folder, openapi.document)],
  )
}

function settingsOf({ name = 'edge', listen, store }: GatewayFile, folder: string) {
  return {
    name,
    listen: { host: listen?.host, port: listen?.port, adminPort: listen?.adminPort },
    dataDir: store?.dataDir === undefined ? undefined : inFolder(folder, store.dataDir),
    postgresUrl: store?.postgresUrl,
  }
}

/** What a file says about where it listens and where its data lie; `undefined` where it does not say. */
export interface ConfiguredSettings {
  readonly port: number | undefined
  readonly adminPort: number | undefined
  /** Absolute. */
  readonly dataDir: string | undefined
  readonly postgresUrl: string | undefined
}

/** Reads the settings of a file; nothing else in it must be right. @throws GatewayConfigError when it is no YAML, or not there */
export function configuredSettings(path: string, env: LoadConfigOptions['env']): ConfiguredSettings {
  const file = resolve(path)
  const folder = dirname(file)
  const source = readSource(basename(path), textOf(file, basename(path)))
  const at = (...place: readonly string[]): string | undefined => {
    const { node, found } = nodeAt(source.root, place)
    if (!found) return undefined
    const options = { env, readFile: (name: string) => readFileSync(name, 'utf8'), folder }
    const { value, faults } = fillSecrets({ ...source, root: node }, options)
    return faults.length === 0 && (typeof value === 'string' || typeof value === 'number') ? String(value) : undefined
  }
  const dataDir = at('store', 'dataDir')
  return {
    port: portOf(at('listen', 'port')),
    adminPort: portOf(at('listen', 'adminPort')),
    dataDir: dataDir === undefined ? undefined : inFolder(folder, dataDir),
    postgresUrl: at('store', 'postgresUrl'),
  }
}

function portOf(text = ''): number | undefined {
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined
}

function inFolder(folder: string, path: string): string {
  return isAbsolute(path) ? path : resolve(folder, path)
}

function textOf(file: string, shownAs: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    const remedy =
      code === 'EACCES' ? 'Correct its rights' : 'Correct the path, or write the file: docs/guide/gateway.md'
    throw new GatewayConfigError('config_unreadable', `${shownAs} cannot be read (${code}). ${remedy}`, { cause })
  }
}

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CliError } from './cli-error.ts'

/** A value and where it came from. */
export interface Setting<T> {
  readonly name: string
  readonly value: T
  readonly from: string
}

export interface Settings {
  readonly gatewayPort: Setting<number>
  readonly adminPort: Setting<number>
  readonly dataDir: Setting<string>
  readonly logLevel: Setting<LogLevel>
  /** A database server to use in place of the embedded one. */
  readonly postgresUrl: Setting<string | undefined>
  /** Service -> its own database. */
  readonly storeUrls: ReadonlyMap<string, Setting<string>>
}

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

type Env = Readonly<Record<string, string | undefined>>

/**
 * The settings that hold, from the environment, else the ports that the project's package.json names, else the defaults.
 * @throws CliError `setting_invalid` that names the variable and what it must be
 */
export function readSettings(env: Env, cwd: string, project: string): Settings {
  const dataDir = env['TRESTLE_DATA_DIR']
  const port = (name: string, field: 'gatewayPort' | 'adminPort', fallback: number) =>
    orOfProject(setting(env, name, fallback, asPort), project, field)
  return {
    gatewayPort: port('TRESTLE_GATEWAY_PORT', 'gatewayPort', 4000),
    adminPort: port('TRESTLE_ADMIN_PORT', 'adminPort', 4001),
    dataDir: setting(env, 'TRESTLE_DATA_DIR', join(project, '.trestle'), () => resolve(cwd, dataDir ?? '')),
    logLevel: setting(env, 'TRESTLE_LOG_LEVEL', 'info', asLogLevel),
    postgresUrl: setting<string | undefined>(env, 'TRESTLE_POSTGRES_URL', undefined, asPostgresUrl),
    storeUrls: storeUrls(env),
  }
}

/** The environment variable that names a service's own database: `TRESTLE_STORE_ORDER_HISTORY_URL`. */
export function storeVariable(service: string): string {
  return `TRESTLE_STORE_${service.toUpperCase().replaceAll('-', '_')}_URL`
}

function storeUrls(env: Env): ReadonlyMap<string, Setting<string>> {
  const found = new Map<string, Setting<string>>()
  for (const name of Object.keys(env)) {
    const service = /^TRESTLE_STORE_([A-Z0-9_]+)_URL$/.exec(name)?.[1]
    const text = env[name]
    if (service === undefined || text === undefined || text === '') continue
    const value = asPostgresUrl(text, name)
    found.set(service.toLowerCase().replaceAll('_', '-'), { name, value, from: 'environment' })
  }
  return found
}

function setting<T>(env: Env, name: string, fallback: T, read: (text: string, name: string) => T): Setting<T> {
  const text = env[name]
  return text === undefined || text === ''
    ? { name, value: fallback, from: 'default' }
    : { name, value: read(text, name), from: 'environment' }
}

/** Systems that run beside each other on one machine have ports of their own: `"trestle": { "gatewayPort": 4100 }`. */
function orOfProject(found: Setting<number>, project: string, field: 'gatewayPort' | 'adminPort'): Setting<number> {
  const said = found.from === 'default' ? manifestOf(project)[field] : undefined
  if (said === undefined) return found
  const where = `"trestle": { "${field}" } in ${join(project, 'package.json')}`
  return { ...found, value: asPort(JSON.stringify(said), where), from: 'package.json' }
}

/** What `package.json` says to us; one that cannot be read says nothing. */
function manifestOf(project: string): { readonly gatewayPort?: unknown; readonly adminPort?: unknown } {
  try {
    const { trestle } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { trestle?: unknown }
    return typeof trestle === 'object' && trestle !== null ? trestle : {}
  } catch {
    return {}
  }
}

function asPort(text: string, name: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw invalid(name, 'a port from 0 to 65535 (0 picks a free one)')
}

function asLogLevel(text: string, name: string): LogLevel {
  const level = logLevels.find((one) => one === text)
  if (level !== undefined) return level
  throw invalid(name, `one of ${logLevels.join(', ')}`)
}

function asPostgresUrl(text: string, name: string): string {
  if (/^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? '')) return text
  throw invalid(name, 'a URL such as postgresql://user:password@host:5432/database')
}

/** The value itself stays out of the message: it may be a secret. */
function invalid(name: string, must: string): CliError {
  return new CliError('setting_invalid', `${name} must be ${must}`, {
    remedy: `Correct or unset ${name}.`,
  })
}

/** A value as it may be shown: the password of a URL is masked. */
export function shown(value: string | number | undefined): string {
  if (value === undefined) return '-'
  const text = String(value)
  const url = URL.parse(text)
  if (url === null || (url.password === '' && !url.searchParams.has('password'))) return text
  if (url.password !== '') url.password = '***'
  if (url.searchParams.has('password')) url.searchParams.set('password', '***')
  return url.href
}

import { destination, type DestinationStream, pino } from 'pino'

/** Structured logging: fields first, then one sentence. */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
  /** The same log with these fields in every line. */
  child(fields: Readonly<Record<string, unknown>>): Log
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export interface LogOptions {
  /** Who writes: a service, `gateway`, `supervisor`. */
  readonly name: string
  /** Default `info`. */
  readonly level?: LogLevel
  /** Default: stderr, written at once. */
  readonly destination?: { write(line: string): void }
}

/** Field names whose values never reach a log, on the first three levels of what is logged. */
export const redactedFields = [
  'authorization',
  'proxyAuthorization',
  'cookie',
  'setCookie',
  'password',
  'passwd',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
  'apiKey',
  'api_key',
  'key',
  'credential',
] as const

const spellings = redactedFields.flatMap((name) => [name, name[0]?.toUpperCase() + name.slice(1)])
const dashed = ['set-cookie', 'Set-Cookie', 'x-api-key', 'X-Api-Key', 'proxy-authorization', 'Proxy-Authorization']

function redactedPaths(): string[] {
  return ['', '*.', '*.*.'].flatMap((prefix) => [
    ...spellings.map((name) => `${prefix}${name}`),
    ...dashed.map((name) => `${prefix === '' ? '' : prefix.slice(0, -1)}["${name}"]`),
  ])
}

/**
 * Makes a log: JSON lines (`level` as a word, `time` in milliseconds, `name`, `message`), secrets replaced.
 * @example createLog({ name: 'orders' }).info({ orderId }, 'order placed')
 */
export function createLog({ name, level = 'info', destination: to }: LogOptions): Log {
  return pino(
    {
      name,
      level,
      messageKey: 'message',
      base: { pid: process.pid, name },
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths(), censor: '[redacted]' },
    },
    (to as DestinationStream | undefined) ?? destination({ dest: 2, sync: true }),
  )
}

import { isatty } from 'node:tty'
import { destination, type DestinationStream, type Logger, pino, stdSerializers } from 'pino'
import { systemClock } from '../std/clock.ts'
import { LineBuffer } from './line-buffer.ts'
import { readableLine } from './readable-line.ts'
import { withoutSecrets } from './redact.ts'

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

const stderrFd = 2

export interface LogOptions {
  /** Who writes: a service, `gateway`, `supervisor`. */
  readonly name: string
  /** Default `info`. */
  readonly level?: LogLevel
  /** Default: stderr, gathered for 50 ms, warnings and errors at once; on a terminal as short lines for people. */
  readonly destination?: { write(line: string): void }
}

/**
 * Makes a log: JSON lines (`level` as a word, `time` in milliseconds, `name`, `message`), secrets replaced.
 * @example createLog({ name: 'orders' }).info({ orderId }, 'order placed')
 */
export function createLog({ name, level = 'info', destination: to }: LogOptions): Log {
  return withRedaction(
    pino(
      {
        level,
        messageKey: 'message',
        base: { pid: process.pid, name },
        formatters: { level: (label) => ({ level: label }) },
        serializers: { err: serialized },
      },
      (to as DestinationStream | undefined) ?? stderr(),
    ),
  )
}

/** The stack names the causes; the library's own form says them once more in the message. */
function serialized(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown
  return withoutSecrets({ ...stdSerializers.err(thrown), message: thrown.message })
}

function stderr(): DestinationStream {
  const to = destination({ dest: stderrFd, sync: true })
  if (isatty(stderrFd)) return { write: (line) => void to.write(readableLine(line)) }
  const buffer = new LineBuffer(to, systemClock)
  process.once('exit', () => buffer.flush())
  return buffer
}

/** By hand: the library's own redaction of wildcards costs a hundred times as much per line (measured). */
function withRedaction(log: Logger): Log {
  return {
    debug: (fields, message) => log.debug(withoutSecrets(fields), message),
    info: (fields, message) => log.info(withoutSecrets(fields), message),
    warn: (fields, message) => log.warn(withoutSecrets(fields), message),
    error: (fields, message) => log.error(withoutSecrets(fields), message),
    child: (fields) => withRedaction(log.child(withoutSecrets(fields))),
  }
}

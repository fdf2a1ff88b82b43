import { isAbsolute, join } from 'node:path'
import type { ConfigFault } from './config-fault.ts'
import { type ConfigNode, isList } from './config-node.ts'
import type { ConfigSource } from './read-source.ts'

/** What a file may hold, as plain data. */
export type Plain = string | number | boolean | null | { readonly [key: string]: Plain } | readonly Plain[]

/** Where secrets come from. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** A file's text. @throws when it cannot be read */
  readonly readFile: (path: string) => string
  /** The folder that relative paths start from: that of the configuration file. */
  readonly folder: string
}

export interface Filled {
  readonly value: Plain
  readonly faults: readonly ConfigFault[]
  /** Files that were read. */
  readonly files: readonly string[]
  /** Nodes whose value came from outside: their text may stand for a number. */
  readonly filled: ReadonlySet<ConfigNode>
  /** Takes what came from outside out of a message again. */
  readonly redact: (message: string) => string
}

const placeholder = /\$(?:\$\{|\{([^{}]*)\})/g
const secretFileMaxBytes = 1_048_576
/** Shorter ones are ports and switches: taking them out of a message would only garble it. */
const secretMinLetters = 4

/** Puts `${env:NAME}` and `${file:path}` in; `$${` stands for `${` itself. Secrets go nowhere but into the values. */
export function fillSecrets(source: ConfigSource, sources: SecretSources): Filled {
  const faults: ConfigFault[] = []
  const files = new Set<string>()
  const filled = new Set<ConfigNode>()
  const secrets = new Map<string, string>()

  const valueOf = (reference: string, at: number): string => {
    const [, kind, name = ''] = /^(env|file):(.+)$/.exec(reference) ?? []
    const fail = (message: string) => {
      faults.push(source.fault(at, message))
      return ''
    }
    if (kind === undefined) {
      return fail(`\${${reference}} names nothing. Write \${env:NAME} or \${file:/path}, or $\${ for the characters`)
    }
    if (kind === 'env') {
      const text = sources.env[name]
      if (text === undefined || text === '') {
        return fail(
          `The environment variable ${name} is ${text === '' ? 'empty' : 'not set'}. Set it, or write a value here`,
        )
      }
      return text
    }
    const path = isAbsolute(name) ? name : join(sources.folder, name)
    files.add(path)
    try {
      const text = sources.readFile(path).replace(/\r?\n$/, '')
      if (text.length > secretFileMaxBytes) return fail(`The file ${name} is larger than ${secretFileMaxBytes} bytes`)
      return text === '' ? fail(`The file ${name} is empty. Put the value in it`) : text
    } catch (error) {
      return fail(`The file ${name} cannot be read (${codeOf(error)}). Correct the path or its rights`)
    }
  }

  const textOf = (text: string, node: ConfigNode): string =>
    text.replace(placeholder, (whole, reference: string | undefined) => {
      if (reference === undefined) return '${'
      filled.add(node)
      const value = valueOf(reference, node.at)
      if (value.length >= secretMinLetters) secrets.set(value, whole)
      return value
    })

  const fill = (node: ConfigNode): Plain => {
    const { value } = node
    if (typeof value === 'string') return value.includes('${') ? textOf(value, node) : value
    if (typeof value !== 'object' || value === null) return value
    if (isList(value)) return value.map(fill)
    return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, fill(below)]))
  }

  const value = fill(source.root)
  return { value, faults, files: [...files], filled, redact: (message) => redacted(message, secrets) }
}

/** The longest first: one may be part of another. A message may hold a value as it is, or quoted. */
function redacted(message: string, secrets: ReadonlyMap<string, string>): string {
  const longestFirst = [...secrets].toSorted(([a], [b]) => b.length - a.length)
  return longestFirst.reduce(
    (text, [secret, name]) => text.replaceAll(secret, name).replaceAll(JSON.stringify(secret).slice(1, -1), name),
    message,
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}

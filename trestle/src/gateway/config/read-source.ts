import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { type ConfigFault, throwFaults } from './config-fault.ts'
import type { ConfigNode } from './config-node.ts'

/** Of the whole file. */
const configMaxBytes = 4_194_304
/** Values after aliases have been resolved: a small file of aliases of aliases must not become a large one. */
const nodesMax = 200_000
const depthMax = 32

/** A configuration file as it was read. */
export interface ConfigSource {
  readonly file: string
  readonly root: ConfigNode
  /** What is wrong at an offset of the file. */
  fault(at: number, message: string): ConfigFault
}

/**
 * Reads YAML 1.2, or JSON, which is YAML. Only plain values: keys that repeat, tags, several documents and runaway aliases
 * are refused.
 * @throws GatewayConfigError `config_invalid` with every fault
 */
export function readSource(file: string, text: string): ConfigSource {
  const lines = new LineCounter()
  const fault = (at: number, message: string): ConfigFault => {
    const { line, col } = lines.linePos(at)
    return { file, line: Math.max(1, line), column: Math.max(1, col), message }
  }
  if (Buffer.byteLength(text) > configMaxBytes) {
    throwFaults([{ file, line: 1, column: 1, message: `The file is larger than ${configMaxBytes} bytes` }])
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2', schema: 'core' })
  const found = [...document.errors, ...document.warnings]
  throwFaults(
    found.slice(0, 20).map(({ pos, code, message }) => fault(pos[0], syntaxText(code, message, text, pos[0]))),
  )
  const reader = new Reader(fault)
  const root = document.contents === null ? { value: {}, at: 0, keyAt: 0 } : reader.read(document.contents, 0, 0)
  throwFaults(reader.faults)
  return { file, root, fault }
}

function syntaxText(code: string, message: string, text: string, at: number): string {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1).split('\n', 1)[0] ?? ''
  if (code === 'DUPLICATE_KEY') {
    const [key = 'This key'] = /^"[^"\n]*"|^'[^'\n]*'|^[^\s:,{}[\]]+/.exec(text.slice(at, at + 200)) ?? []
    return `${key} stands here twice. Remove one of them`
  }
  if (code === 'MULTIPLE_DOCS') return 'The file holds several documents (---). Keep one'
  if (code === 'TAG_RESOLVE_FAILED') return 'Tags (!name) are not allowed. Write a plain value'
  if (line.includes('${')) return `${message}. Within { } and [ ], put a value with \${...} in quotes`
  return `${message}. The line is no YAML`
}

class Reader {
  readonly #fault: ConfigSource['fault']
  readonly faults: ConfigFault[] = []
  /** What an alias means at the place that is read: looked for in the document it would cost a walk through it each time. */
  readonly #anchors = new Map<string, Node>()
  #nodes = 0
  #inAliases = 0

  constructor(fault: ConfigSource['fault']) {
    this.#fault = fault
  }

  read(node: Node, keyAt: number, depth: number): ConfigNode {
    const at = node.range?.[0] ?? keyAt
    this.#nodes += 1
    if (this.#nodes > nodesMax || depth > depthMax) {
      const limit =
        depth > depthMax ? `It is nested deeper than ${depthMax} levels` : `It has more than ${nodesMax} values`
      return this.#refuse(at, keyAt, `${limit}, aliases included. Make it smaller`)
    }
    if (node.tag !== undefined) return this.#refuse(at, keyAt, 'Tags (!name) are not allowed. Write a plain value')
    if (isAlias(node)) return this.#readAlias(node, at, keyAt, depth)
    if (this.#inAliases === 0 && 'anchor' in node && typeof node.anchor === 'string')
      this.#anchors.set(node.anchor, node)
    if (isScalar(node)) return { value: scalar(node.value), at, keyAt }
    if (isSeq(node)) {
      return { value: node.items.map((item) => this.#readItem(item, at, depth)), at, keyAt }
    }
    if (isMap(node)) return { value: this.#readMap(node.items, at, depth), at, keyAt }
    return this.#refuse(at, keyAt, 'This is no value of a configuration')
  }

  #readItem(item: unknown, at: number, depth: number): ConfigNode {
    const itemAt = offsetOf(item) ?? at
    return item === null ? { value: null, at, keyAt: at } : this.read(item as Node, itemAt, depth + 1)
  }

  #readAlias(node: Node & { source: string }, at: number, keyAt: number, depth: number): ConfigNode {
    const target = this.#anchors.get(node.source)
    if (target === undefined) return this.#refuse(at, keyAt, `There is no anchor &${node.source} before this alias`)
    // What is wrong in it is said where it is used: there it has a meaning.
    this.#inAliases += 1
    const read = this.read(target, keyAt, depth + 1)
    this.#inAliases -= 1
    return { ...read, at }
  }

  #readMap(items: readonly { key: unknown; value: unknown }[], at: number, depth: number) {
    const entries = items.map(({ key, value }) => {
      const keyAt = offsetOf(key) ?? at
      const name = isScalar(key) ? String(key.value) : ''
      if (name === '__proto__' || !isScalar(key)) this.faults.push(this.#fault(keyAt, 'A key must be plain text'))
      const read = value === null ? { value: null, at: keyAt, keyAt } : this.read(value as Node, keyAt, depth + 1)
      return [name, read] as const
    })
    return Object.fromEntries(entries)
  }

  #refuse(at: number, keyAt: number, message: string): ConfigNode {
    // The same limit is reached again and again: once is enough to say it.
    if (!this.faults.some((known) => known.message === message)) this.faults.push(this.#fault(at, message))
    return { value: null, at, keyAt }
  }
}

function offsetOf(node: unknown): number | undefined {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
    ? (node.range[0] as number)
    : undefined
}

function scalar(value: unknown): string | number | boolean | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

/** A value of a configuration file, and where it stands. Aliases have been resolved, secrets not yet. */
export interface ConfigNode {
  readonly value: string | number | boolean | null | Readonly<Record<string, ConfigNode>> | readonly ConfigNode[]
  /** Offset in the file. */
  readonly at: number
  /** Offset of the key under which it stands; that of the value in a list. */
  readonly keyAt: number
}

export type ConfigPath = readonly (string | number)[]

/** The node at a path, or the nearest one above it that is there. */
export function nodeAt(root: ConfigNode, path: ConfigPath): { readonly node: ConfigNode; readonly found: boolean } {
  let node = root
  for (const step of path) {
    const below = childOf(node, step)
    if (below === undefined) return { node, found: false }
    node = below
  }
  return { node, found: true }
}

function childOf({ value }: ConfigNode, step: string | number): ConfigNode | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (isList(value)) return value[Number(step)]
  return Object.hasOwn(value, step) ? value[step] : undefined
}

/** Array.isArray does not narrow a readonly array out of a union. */
export function isList(value: ConfigNode['value']): value is readonly ConfigNode[] {
  return Array.isArray(value)
}

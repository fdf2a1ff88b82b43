import { type Segment, segmentsOf } from './route-template.ts'

/** Something at a path template. */
export interface PathEntry<T> {
  readonly template: string
  readonly item: T
}

export interface PathMatch<T> {
  readonly item: T
  /** Of the fields in their order, as they stand in the path; of a catch-all, last, what is below it. */
  readonly values: readonly string[]
}

/** Finds what stands at a path. */
export interface PathTree<T> {
  /** Static segments before fields before a catch-all, the longest catch-all first. */
  find(path: string): PathMatch<T> | undefined
}

interface Node<T> {
  readonly statics: Map<string, Node<T>>
  field: Node<T> | undefined
  /** What ends here. */
  item: T | undefined
  /** What takes everything below, and this path itself when nothing else ends here. */
  below: T | undefined
}

/**
 * Builds a tree of templates, segment by segment: a look-up costs a `Map.get` per segment, however many routes there
 * are. It has no expressions and no escapes, so that no path can be written that is slow or reads differently. A path
 * that leads into a dead end goes back and tries a field instead; each node is visited at most once.
 * @param onVisit told of each node that a look-up visits; for tests that count work
 */
export function createPathTree<T>(entries: readonly PathEntry<T>[], onVisit?: () => void): PathTree<T> {
  const root = newNode<T>()
  for (const { template, item } of entries) add(root, segmentsOf(template), item)

  /** `start` is where the segment after the last `/` begins; beyond the end of the path there is none. */
  const search = (node: Node<T>, path: string, start: number, values: string[]): T | undefined => {
    onVisit?.()
    if (start > path.length) {
      if (node.item !== undefined) return node.item
      if (node.below !== undefined) values.push('')
      return node.below
    }
    const slash = path.indexOf('/', start)
    const end = slash === -1 ? path.length : slash
    const segment = path.slice(start, end)
    const next = node.statics.get(segment)
    const found = next === undefined ? undefined : search(next, path, end + 1, values)
    if (found !== undefined) return found
    if (node.field !== undefined && segment !== '') {
      values.push(segment)
      const byField = search(node.field, path, end + 1, values)
      if (byField !== undefined) return byField
      values.pop()
    }
    if (node.below !== undefined) values.push(path.slice(start))
    return node.below
  }
  return {
    find(path) {
      const values: string[] = []
      const item = search(root, path, 1, values)
      return item === undefined ? undefined : { item, values }
    },
  }
}

function newNode<T>(): Node<T> {
  return { statics: new Map(), field: undefined, item: undefined, below: undefined }
}

function add<T>(root: Node<T>, segments: readonly Segment[], item: T): void {
  let node = root
  for (const segment of segments) {
    if (segment.kind === 'catch-all') {
      node.below = item
      return
    }
    node = segment.kind === 'field' ? (node.field ??= newNode()) : staticBelow(node, segment.text)
  }
  node.item = item
}

function staticBelow<T>(node: Node<T>, text: string): Node<T> {
  const known = node.statics.get(text)
  if (known !== undefined) return known
  const made = newNode<T>()
  node.statics.set(text, made)
  return made
}

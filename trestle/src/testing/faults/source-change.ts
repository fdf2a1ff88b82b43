/** A change of the text of one source file, made while it is loaded: nothing on disk changes. */
export interface SourceChange {
  readonly name: string
  /** How the path of the file ends: `store/inventory/reservations.ts`. */
  readonly file: string
  /** Stands exactly once in the file. */
  readonly find: string
  readonly put: string
}

/**
 * The text with all changes made, in their order.
 * @throws Error when what is to be changed is not there exactly once: the source has moved on, and the change must follow
 */
export function changedSource(text: string, changes: readonly SourceChange[]): string {
  return changes.reduce((source, { name, file, find, put }) => {
    const first = source.indexOf(find)
    const places =
      first === -1 ? 'does not stand' : source.includes(find, first + 1) ? 'stands more than once' : undefined
    if (places !== undefined) throw new Error(`${name}: ${JSON.stringify(find)} ${places} in ${file}`)
    return source.slice(0, first) + put + source.slice(first + find.length)
  }, text)
}

/** Those that are for a file. */
export function changesFor(url: string, changes: readonly SourceChange[]): readonly SourceChange[] {
  return changes.filter(({ file }) => url.endsWith(`/${file}`))
}

/**
 * What a transaction has besides its rows: the store to which it belongs, and work for the moment at which it is certain.
 * Both are the platform's business; services see neither.
 */
interface Scope {
  readonly home: object
  readonly committed: (() => void)[]
}

const scopes = new WeakMap<object, Scope>()
const homes = new WeakMap<object, object>()

/** Says that `tx` runs in the store that `home` stands for. Returns what is to be called when it has committed. */
export function openTxScope(tx: object, home: object): () => void {
  const committed: (() => void)[] = []
  scopes.set(tx, { home, committed })
  return () => {
    for (const work of committed.splice(0)) work()
  }
}

/**
 * Runs `work` when the commit has been answered, and never when it was rolled back. When the answer was lost, or the process
 * ends, it does not run although the rows may be there: only for what would be found by looking, too.
 */
export function afterCommit(tx: object, work: () => void): void {
  scopes.get(tx)?.committed.push(work)
}

/** Says by which object the transactions of `store` name it. */
export function setHome(store: object, home: object): void {
  homes.set(store, home)
}

/** The store behind a transaction or a store, as an object that can be compared. */
export function homeOf(part: object): object | undefined {
  return homes.get(part) ?? scopes.get(part)?.home
}

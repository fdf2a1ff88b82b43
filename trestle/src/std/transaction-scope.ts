import { AsyncLocalStorage } from 'node:async_hooks'

interface Scope {
  open: boolean
}

const scopes = new AsyncLocalStorage<Scope>()

/**
 * Marks the code of a database transaction, so that what must not happen inside one (a call to another service, a
 * second transaction) can be refused where it is made. Work that outlives the transaction is outside again.
 */
export const transactionScope = {
  /** Runs `work`; everything it awaits is inside the transaction until its promise settles. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const scope: Scope = { open: true }
    try {
      return await scopes.run(scope, work)
    } finally {
      scope.open = false
    }
  },

  /** Runs `fn` as if it stood outside: for the start of work that belongs to nobody's transaction. */
  outside<T>(fn: () => T): T {
    return scopes.run({ open: false }, fn)
  },
}

/** Whether the running code is inside the `work` of a `store.transaction`. */
export function insideTransaction(): boolean {
  return scopes.getStore()?.open === true
}

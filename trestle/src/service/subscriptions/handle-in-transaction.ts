import { crashPoint } from '../../std/crash-points.ts'
import { newTrace, type TraceContext } from '../../std/trace-context.ts'
import { transactionScope } from '../../std/transaction-scope.ts'
import { type Claimed, claimInTransaction, countTry, markHandled } from '../../store/inbox/claim.ts'
import type { Tx } from '../../store/store.ts'
import { oneExtras, workOf } from './handler-extras.ts'
import { noteFailed, takeTriesBack } from './note-failed.ts'
import type { Subscription } from './subscription.ts'
import { checkTriesLeft, type Handled, ofWanted } from './handled.ts'

/**
 * Handles the next event whose turn it is: what its handler writes and the note that it is done commit together, so that
 * a crash at any moment leaves both or neither.
 */
export async function handleInTransaction(subscription: Subscription, onClaimed: () => void): Promise<Handled> {
  await takeTriesBack(subscription)
  const attempt = new Attempt(subscription, onClaimed)
  try {
    await subscription.deps.store.transaction((tx) => attempt.run(tx), attempt)
    crashPoint('inbox.after-handled-commit')
    return attempt.outcome()
  } catch (error) {
    if (attempt.claimed === undefined) throw error
    // Somebody else has handled it in the meantime: there was nothing left to note.
    if (attempt.lostToAnother) return { kind: 'handled', count: 0 }
    return await noteFailed(subscription, attempt.claimed, error, attempt.counted ? 'counted' : 'locked')
  }
}

class Attempt {
  claimed: Claimed | undefined
  lostToAnother = false
  counted = false
  /** Read when the transaction commits: what the handler publishes belongs to the trace of what it handled. */
  trace: TraceContext = newTrace()
  readonly timeoutMs: number
  readonly #subscription: Subscription
  readonly #onClaimed: () => void

  constructor(subscription: Subscription, onClaimed: () => void) {
    this.#subscription = subscription
    this.timeoutMs = subscription.limits.transactionTimeoutMs
    this.#onClaimed = onClaimed
  }

  async run(tx: Tx<unknown>): Promise<void> {
    const { row } = this.#subscription
    crashPoint('inbox.before-claim')
    const claimed = await claimInTransaction(tx.db, row)
    crashPoint('inbox.after-claim')
    if (claimed === undefined) return
    this.claimed = claimed
    // Not as part of this transaction: another worker opens one of its own.
    transactionScope.outside(this.#onClaimed)
    if (claimed.wanted !== undefined) await this.#handle(tx, claimed)
    crashPoint('inbox.before-done')
    // Not waited for: it goes out together with the commit, which fails when it fails.
    markHandled(tx.db, row, claimed, 'locked').catch((error: unknown) => {
      this.lostToAnother = (error as { code?: unknown }).code === '22012'
    })
  }

  outcome(): Handled {
    return this.claimed === undefined ? { kind: 'nothing' } : { kind: 'handled', count: 1 }
  }

  async #handle(tx: Tx<unknown>, claimed: Claimed): Promise<void> {
    const subscription = this.#subscription
    const { definition, stopping } = subscription
    checkTriesLeft(claimed, definition.triesMax)
    if (subscription.carefulFor > 0) await this.#count(claimed)
    const delivery = subscription.read(ofWanted(claimed))
    this.trace = delivery.meta.trace
    const more = oneExtras(subscription, workOf(subscription, delivery.meta), stopping.signal)
    await definition.run([delivery], { tx, more })
    crashPoint('inbox.after-handler')
  }

  /** In a transaction of its own: it must be known also when this one dies with its process. */
  async #count(claimed: Claimed): Promise<void> {
    const { deps, row, uncounted } = this.#subscription
    try {
      this.counted = await transactionScope.outside(() => countTry(deps.store.db, row, claimed))
    } catch (error) {
      // It may have been counted, and its answer lost.
      uncounted.add(claimed)
      throw error
    }
    crashPoint('inbox.after-try-counted')
  }
}

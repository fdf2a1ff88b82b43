import { crashPoint } from '../../std/crash-points.ts'
import type { Timer } from '../../std/clock.ts'
import { type Claimed, claimForLease, markHandled, renewClaim } from '../../store/inbox/claim.ts'
import { EffectStore } from './effect-store.ts'
import { checkTriesLeft, type Handled, ofWanted } from './handled.ts'
import { effectExtras } from './handler-extras.ts'
import { noteFailed, takeTriesBack } from './note-failed.ts'
import { about, type Subscription } from './subscription.ts'

/**
 * Handles the next event whose turn it is outside of a transaction: at least once, always under the same key. The claim is
 * renewed while the handler runs; whoever has lost it cannot note the event as done any more.
 */
export async function handleEffect(subscription: Subscription, onClaimed: () => void): Promise<Handled> {
  const { deps, limits, row } = subscription
  await takeTriesBack(subscription)
  crashPoint('inbox.before-effect-claim')
  const claimed = await claimForLease(deps.store.db, row, limits.claimMs)
  if (claimed === undefined) return { kind: 'nothing' }
  onClaimed()
  crashPoint('inbox.after-effect-claim')
  const store = new EffectStore(deps.store, (tx) => markHandled(tx.db, row, claimed, 'leased'))
  try {
    if (claimed.wanted !== undefined) await runEffect(subscription, claimed, store)
    crashPoint('inbox.after-effect')
    if (!store.marked) await store.markAlone()
    crashPoint('inbox.after-effect-done')
    return { kind: 'handled', count: 1 }
  } catch (error) {
    if (store.lost) return { kind: 'handled', count: 0 }
    if (store.marked) return saidAfterDone(subscription, claimed, error)
    return await noteFailed(subscription, claimed, error, 'leased')
  }
}

/** Its transaction has been committed, and with it the note that the event is done: what fails after it is too late. */
function saidAfterDone(subscription: Subscription, { id, key }: Claimed, error: unknown): Handled {
  const fields = { ...about(subscription), event: id, key, err: error }
  subscription.deps.log.error(fields, 'a handler failed after its transaction; the event counts as handled')
  return { kind: 'handled', count: 1 }
}

async function runEffect(subscription: Subscription, claimed: Claimed, store: EffectStore): Promise<void> {
  const { definition, deps, limits, stopping } = subscription
  checkTriesLeft(claimed, definition.triesMax)
  const delivery = subscription.read(ofWanted(claimed))
  store.trace = delivery.meta.trace
  const lost = new AbortController()
  const signal = AbortSignal.any([stopping.signal, lost.signal])
  const renewal = keepClaim(subscription, claimed, () => lost.abort(new Error('the claim is lost')))
  let timer: Timer | undefined
  const expired = new Promise<never>((_, reject) => {
    timer = deps.clock.setTimeout(() => {
      const error = new Error(`handling took longer than ${limits.effectTimeoutMs} ms`)
      lost.abort(error)
      reject(error)
    }, limits.effectTimeoutMs)
  })
  try {
    const more = effectExtras(subscription, delivery.meta, signal, store)
    await Promise.race([definition.run([delivery], { tx: undefined, more }), expired])
  } finally {
    timer?.cancel()
    renewal.stop()
  }
}

/** Renews a claim three times in its life. */
function keepClaim(
  { deps, limits, row }: Subscription,
  claimed: Claimed,
  onLost: () => void,
): { readonly stop: () => void } {
  let timer: Timer | undefined
  let stopped = false
  const renew = async () => {
    // Without an answer nothing is known: the next renewal, or the note at the end, will tell.
    const kept = await renewClaim(deps.store.db, row, claimed, limits.claimMs).catch(() => true)
    if (!kept) onLost()
    else plan()
  }
  const plan = () => {
    if (!stopped) timer = deps.clock.setTimeout(() => void renew(), limits.claimMs / 3)
  }
  plan()
  return {
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}

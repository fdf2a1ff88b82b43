import type { Claimed } from '../../store/inbox/claim.ts'
import type { WrittenEvent } from './read-event.ts'

/** What came of looking for the next event. */
export type Handled =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'handled'; readonly count: number }
  /** Its key may be tried again then; others go on at once. */
  | { readonly kind: 'failed'; readonly waitMs: number }
  /** Something that every event needs is away. */
  | { readonly kind: 'away'; readonly waitMs: number }

/**
 * Refuses an event all of whose tries have been begun and none of which has come to an end.
 * @throws Error that becomes the reason why its key is parked
 */
export function checkTriesLeft({ tries }: Claimed, triesMax: number): void {
  if (tries >= triesMax) throw new Error(`${tries} tries were begun and did not end: each may have ended its process`)
}

/** The event of a claim whose payload is wanted. */
export function ofWanted({ id, key, keyVersion, wanted }: Claimed): WrittenEvent {
  if (wanted === undefined) throw new Error('only its place counts')
  return { id, key, keyVersion, ...wanted }
}

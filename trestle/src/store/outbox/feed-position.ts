import type { EventPosition } from './event-envelope.ts'

/** Before every event. */
export const beginning: EventPosition = { epoch: 0, xid: '0', seq: '0' }

/** Negative when `a` comes first. */
export function comparePositions(a: EventPosition, b: EventPosition): number {
  return a.epoch - b.epoch || compareDecimals(a.xid, b.xid) || compareDecimals(a.seq, b.seq)
}

export function earlierOf(a: EventPosition, b: EventPosition): EventPosition {
  return comparePositions(a, b) <= 0 ? a : b
}

function compareDecimals(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}

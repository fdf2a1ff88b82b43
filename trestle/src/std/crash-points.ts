/**
 * The places of the durable path at which a test may end the process: before and after each wait. What is written here
 * is held equal to what the sources name.
 */
export const crashPoints = {} as const satisfies Readonly<Record<string, string>>

/** A place of the durable path, `part.what`. */
export type CrashPoint = string

let hook: ((point: CrashPoint) => void) | undefined

/** Says that the durable path has come to a place. Does nothing unless a test watches. */
export function crashPoint(point: CrashPoint): void {
  hook?.(point)
}

/** Watches the durable path of this process; `undefined` stops it. */
export function watchCrashPoints(watcher: ((point: CrashPoint) => void) | undefined): void {
  hook = watcher
}

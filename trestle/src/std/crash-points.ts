/**
 * The places of the durable path at which a test may end the process: before and after each wait. What is written here
 * is held equal to what the sources name.
 */
export const crashPoints = {
  'bus.before-accept': 'events were read from their publisher and are about to be handed over',
  'bus.after-accept': 'events are in the inbox, and the bus has not been told',
  'inbox.before-accept': 'events are about to be written down to wait',
  'inbox.before-accept-commit': 'events and place were sent, and not committed',
  'inbox.after-accept-commit': 'events and place are committed, and the accept has not resolved',
  'inbox.before-arrival': 'a batch is about to be taken and handled in one transaction',
  'inbox.after-batch-handler': 'the handler of a batch has run, and nothing is committed',
  'inbox.before-arrival-commit': 'the place of a handled batch is about to be moved',
  'inbox.after-arrival-commit': 'a batch is taken and handled, and nobody knows',
  'inbox.before-claim': 'the next event is about to be looked for',
  'inbox.after-claim': 'an event is locked and its handler has not begun',
  'inbox.after-try-counted': 'a try was counted and has not begun',
  'inbox.after-handler': 'a handler has run in its transaction, and nothing is committed',
  'inbox.before-done': 'an event is about to be noted as handled',
  'inbox.after-handled-commit': 'an event is handled and noted, and nobody knows',
  'inbox.before-failure-noted': 'a try has failed and has not been noted',
  'inbox.after-failure-noted': 'a failed try is noted, and nobody knows',
  'inbox.before-effect-claim': 'the next effect is about to be claimed',
  'inbox.after-effect-claim': 'an effect is claimed and has not begun',
  'inbox.after-effect': 'an effect was done, and may not have been noted',
  'inbox.after-effect-done': 'an effect is done and noted, and nobody knows',
  'job.before-claim': 'ticks that are due are about to be claimed',
  'job.after-claim': 'ticks are claimed, and none has begun',
  'job.before-note': 'the transaction of a job has done its work, and the tick is not noted',
  'job.before-commit': 'the note of a tick was sent, and nothing is committed',
  'job.after-commit': 'a tick is done and noted, and nobody knows',
  'once.before-claim': 'a request with a key has arrived, and nothing is written',
  'once.after-claim': 'a request with a key is claimed, or what became of it is known',
  'once.before-commit': 'the reply is about to be sent together with COMMIT',
  'once.after-commit': 'effect and reply are committed, and nobody knows',
  'once.before-keep': 'a reply without an effect is about to be kept',
  'once.after-keep': 'a reply without an effect is kept, and nobody knows',
  'once.before-cancel': 'work is about to be undone, which is not written down',
  'once.after-cancel': 'it is written down that work is undone, which has not begun',
  'outbox.before-commit': 'what a transaction publishes is about to be sent together with COMMIT',
  'outbox.after-commit': 'a transaction that published something is committed, and nobody has been told',
  'outbox.before-read': 'a feed is about to be read',
  'outbox.after-read': 'events were read from a feed, and not given to the reader',
  'outbox.before-upkeep': 'partitions of the outbox are about to be made and dropped',
  'outbox.after-upkeep': 'partitions of the outbox were made and dropped',
  'saga.before-start': 'instances are about to be written down in the transaction of what starts them',
  'saga.after-start': 'instances are written down, and nothing is committed',
  'saga.after-start-commit': 'instances have begun, and nobody has done anything yet',
  'saga.before-arrival': 'an event that a saga may wait for is about to be noted',
  'saga.after-arrival': 'an event that a saga may wait for is noted, and nothing is committed',
  'saga.before-cancel': 'an instance is about to be turned round',
  'saga.after-cancel': 'an instance was turned round, and nothing is committed',
  'saga.before-claim': 'instances that are due are about to be claimed',
  'saga.after-claim': 'instances are claimed, and nothing of them is done',
  'saga.before-step': 'a step is about to call others',
  'saga.after-step': 'a step has called others, and the journal does not know',
  'saga.before-journal': 'lines of journals are about to be written',
  'saga.after-journal': 'lines of journals are written, and nobody has gone on',
  'saga.before-write': "a step is about to write into its owner's database",
  'saga.after-write-work': 'a step has written, and nothing is committed',
  'saga.after-write': 'a step has written and is committed, and nobody has gone on',
  'saga.before-takeover': 'an engine is about to free what dead ones had',
  'saga.after-takeover': 'what dead engines had is free',
} as const satisfies Readonly<Record<string, string>>

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

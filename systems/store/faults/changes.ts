import type { Gate, SourceChange } from 'trestle/testing'

/** A place in the code under test at which a fault happens now and then, for as long as its gate is open. */
export interface GatedFault {
  readonly name: string
  /** Numbers of the list of faults. */
  readonly of: readonly number[]
  readonly change: SourceChange
  readonly gate: Gate
}

function gated(fault: Omit<GatedFault, 'change'> & { readonly change: Omit<SourceChange, 'name'> }): GatedFault {
  return { ...fault, change: { name: fault.name, ...fault.change } }
}

/** Faults that come from within, open during the whole load. */
export const gatedFaults: readonly GatedFault[] = [
  gated({
    name: 'late commit',
    of: [6],
    change: {
      file: 'store/transaction.ts',
      find: "    crashPoint('outbox.before-commit')\n",
      put: "    crashPoint('outbox.before-commit')\n    if (statements.length > 0) await trestleGate('late commit')\n",
    },
    gate: { probability: 0.1, delayMaxMs: 1_200 },
  }),
  gated({
    name: 'commit done, answer lost',
    of: [4],
    change: {
      file: 'store/transaction.ts',
      find: "    crashPoint('outbox.after-commit')\n",
      put: "    crashPoint('outbox.after-commit')\n    if (trestleGate('commit done, answer lost')) {\n      const lost = new BrokenConnectionError('the answer was lost')\n      this.#connection.destroy(lost)\n      throw lost\n    }\n",
    },
    gate: { probability: 0.01 },
  }),
  gated({
    name: 'journal written, answer lost',
    of: [4, 15],
    change: {
      file: 'saga/journal.ts',
      find: "        crashPoint('saga.after-journal')\n",
      put: "        crashPoint('saga.after-journal')\n        if (trestleGate('journal written, answer lost')) throw new Error('the answer was lost')\n",
    },
    gate: { probability: 0.03 },
  }),
  gated({
    name: 'events handed over twice',
    of: [8, 9],
    change: {
      file: 'bus/local/feed-consumer.ts',
      find: 'time < this.#deps.deliveries;',
      put: "time < this.#deps.deliveries + Number(events.length > 0 && trestleGate('events handed over twice') === true);",
    },
    gate: { probability: 0.3 },
  }),
  gated({
    name: 'events handed over again later',
    of: [8, 14],
    change: {
      file: 'bus/local/feed-consumer.ts',
      find: '      const ahead = batch.caughtUp ? undefined',
      put: "      const late = batch.events\n      if (late.length > 0 && trestleGate('events handed over again later')) {\n        setTimeout(() => void sink.accept(late, undefined).catch(() => undefined), 700)\n      }\n      const ahead = batch.caughtUp ? undefined",
    },
    gate: { probability: 0.15 },
  }),
  gated({
    name: 'an event that its handler cannot handle',
    of: [13],
    change: {
      file: 'systems/store/notifications/service.ts',
      find: 'async ({ event, call, store, key, now, log }) => {\n',
      put: "async ({ event, call, store, key, now, log }) => {\n  if (/[0-7]$/.test(event.id) && trestleGate('an event that its handler cannot handle')) throw new Error('poison')\n",
    },
    gate: { probability: 1 },
  }),
]

/** What takes many events or tries takes few, so that a run comes to what follows. */
export const soonThere: readonly SourceChange[] = [
  {
    name: 'soon parked',
    file: 'service/subscriptions/define-subscription.ts',
    find: 'triesMax ?? 10',
    put: 'triesMax ?? 3',
  },
  {
    name: 'soon handled on arrival again',
    file: 'service/subscriptions/running-subscription.ts',
    find: 'const handedOverMax = 1_000\n',
    put: 'const handedOverMax = 5\n',
  },
]

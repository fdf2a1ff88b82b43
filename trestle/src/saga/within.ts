import { uuidv7 } from '../std/ids.ts'
import { formatTraceparent, newTrace } from '../std/trace-context.ts'
import type { Tx } from '../store/store.ts'
import { afterCommit, homeOf } from '../store/tx-scope.ts'
import { cancelWithin } from './cancel-instance.ts'
import type { SagaSpec } from './define-saga.ts'
import type { Instance } from './instance.ts'
import type { Cancelled } from './saga.ts'
import { startInstances } from './start-instances.ts'

/** What an engine is to the transactions of its store. */
export interface Neighbour {
  /** Who owns what is begun here. */
  readonly owner: string | undefined
  readonly now: () => number
  readonly newId: () => string
  take(begun: readonly Instance[]): void
  wake(): void
}

/** The engine that works in this process over a store: its transactions hand over to it what they begin. */
const neighbours = new WeakMap<object, Neighbour>()

export function setNeighbour(store: object, neighbour: Neighbour): void {
  const home = homeOf(store)
  if (home !== undefined) neighbours.set(home, neighbour)
}

/** `Saga.start` */
export async function startWithin(
  tx: Tx<unknown>,
  spec: SagaSpec,
  event: unknown,
): Promise<{ readonly started: boolean }> {
  const here = neighbourOf(tx)
  const { owner } = here
  const key = String((event as Record<string, unknown>)[spec.on.key])
  const begun = await startInstances(tx, spec, [{ id: here.newId(), key, event, trace: newTrace() }], {
    nowMs: here.now(),
    owner,
  })
  if (begun.length > 0) afterCommit(tx, () => here.take(begun))
  return { started: begun.length > 0 }
}

/** `Saga.cancel` */
export async function cancelHere(tx: Tx<unknown>, spec: SagaSpec, key: string, reason: string): Promise<Cancelled> {
  const here = neighbourOf(tx)
  const traceparent = formatTraceparent(newTrace())
  const cancelled = await cancelWithin(tx, spec.name, spec.version, key, reason, {
    nowMs: here.now(),
    newId: here.newId,
    traceparent,
  })
  if (cancelled === 'undoing') afterCommit(tx, () => here.wake())
  return cancelled
}

/** Without an engine in this process the rows are written all the same; whoever looks first goes on with them. */
const nobody: Neighbour = {
  owner: undefined,
  now: () => Date.now(),
  newId: () => uuidv7(),
  take() {},
  wake() {},
}

function neighbourOf(tx: object): Neighbour {
  const home = homeOf(tx)
  return (home === undefined ? undefined : neighbours.get(home)) ?? nobody
}

import { eventId, type Instance, indexOfStep, type Place } from './instance.ts'
import type { SagaSpec } from './define-saga.ts'

/** Where to go on, and what the row says of it besides. */
export interface Move {
  readonly place: Place
  /** When somebody must look at it although nothing has happened; `undefined`: nobody needs to. */
  readonly dueAt?: number
  /** Whether whoever writes this goes on with it. */
  readonly keep: boolean
  /** The event that it waits for; when that has come already, who writes this goes on. */
  readonly awaits?: string
  readonly ended?: true
}

/** What follows in the forward direction after the step at `index - 1`; `index` 0 is the beginning. */
function forwardTo(spec: SagaSpec, index: number, pastPivot: boolean, nowMs: number): Move {
  const step = spec.steps[index]
  const common = { undoing: false, beganAt: nowMs, tries: 0, spentMs: 0, round: 0 }
  if (step === undefined) {
    return { place: { ...common, state: 'done', pastPivot, step: undefined }, keep: false, ended: true }
  }
  if (step.kind === 'wait') {
    return {
      place: { ...common, state: 'waiting', pastPivot, step: step.name },
      dueAt: nowMs + step.timeoutMs,
      keep: false,
      awaits: eventId(step.event),
    }
  }
  // Once it is written down that the pivot may have run, nobody undoes from outside any more.
  const crossed = pastPivot || (step.kind === 'call' && step.pivot)
  return { place: { ...common, state: 'running', pastPivot: crossed, step: step.name }, keep: true }
}

/** What follows when the steps up to and including the one at `index` are to be undone. */
export function undoFrom(spec: SagaSpec, index: number, nowMs: number): Move {
  const common = { undoing: true, pastPivot: false, beganAt: nowMs, tries: 0, spentMs: 0, round: 0 }
  for (let at = index; at >= 0; at -= 1) {
    const step = spec.steps[at]
    if (step !== undefined && step.kind !== 'wait' && step.undo !== undefined) {
      return { place: { ...common, state: 'running', step: step.name }, keep: true }
    }
  }
  if (spec.whenUndone !== undefined) {
    return { place: { ...common, state: 'running', step: undefined }, keep: true }
  }
  return undone(nowMs)
}

/** The end of an instance of which nothing is left. */
function undone(nowMs: number): Move {
  const place = { undoing: true, pastPivot: false, beganAt: nowMs, tries: 0, spentMs: 0, round: 0, step: undefined }
  return { place: { ...place, state: 'undone' }, keep: false, ended: true }
}

/**
 * Where an instance that began under a version that is not kept goes on under this one.
 * @throws Error when this one has no such step
 */
export function migratedPlace({ spec, place, migratedFrom }: Instance): Place {
  const step = place.step === undefined ? undefined : spec.migrate[migratedFrom ?? spec.version]?.(place.step)
  const pivot = spec.steps.findIndex((each) => each.kind === 'call' && each.pivot)
  const at = step === undefined ? spec.steps.length : indexOfStep(spec, step)
  return { ...place, step, pastPivot: !place.undoing && (place.pastPivot || (pivot !== -1 && at >= pivot)) }
}

/** What the current step's successor is, in the direction in which the instance goes. */
export function afterCurrent(instance: Instance, nowMs: number): Move {
  const { spec, place } = instance
  // Without a step it was at its last word.
  if (place.step === undefined)
    return place.undoing ? undone(nowMs) : forwardTo(spec, spec.steps.length, place.pastPivot, nowMs)
  const index = indexOfStep(spec, place.step)
  return place.undoing ? undoFrom(spec, index - 1, nowMs) : forwardTo(spec, index + 1, place.pastPivot, nowMs)
}

import type { ContractEvent } from '../contract/contract.ts'
import type { SagaSpec, StepSpec } from './define-saga.ts'

const nameForm = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
const nameMaxChars = 48
const stepsMax = 64
/** A wait is a stored time, not a timer of the runtime: it may be long, but not for ever. */
const waitMaxMs = 366 * 86_400_000

/** What is wrong with the beginning of a saga. @throws TypeError that names the saga and the remedy */
export function checkBeginning({ name, version, on, earlier, migrate }: SagaSpec): void {
  if (!isName(name))
    throw new TypeError(`a saga's name is kebab-case, at most ${nameMaxChars} characters, not '${name}'`)
  if (!Number.isInteger(version) || version < 1 || version > 1_000_000) {
    throw new TypeError(`saga ${name}: version is a whole number from 1, not ${version}`)
  }
  const known = new Set([version])
  for (const old of earlier) {
    if (old.name !== name) throw new TypeError(`saga ${name}: earlier names ${old.name}, which is another saga`)
    if (known.has(old.version) || old.version > version) {
      throw new TypeError(`saga ${name}: earlier must be of versions below ${version}, each once, not ${old.version}`)
    }
    if (idOf(old.on) !== idOf(on)) throw new TypeError(`saga ${name}: version ${old.version} starts by another event`)
    known.add(old.version)
  }
  for (const from of Object.keys(migrate).map(Number)) {
    if (!Number.isInteger(from) || from >= version || known.has(from)) {
      throw new TypeError(`saga ${name}: migrate takes versions below ${version} that are not in earlier, not ${from}`)
    }
  }
}

/** What is wrong with one more step. @throws TypeError that names the saga, the step and the remedy */
export function checkStep({ name: saga, steps, on, whenUndone }: SagaSpec, step: StepSpec): void {
  const fault = (why: string) => new TypeError(`saga ${saga}, step '${step.name}': ${why}`)
  const crossed = steps.some((each) => each.kind === 'call' && each.pivot)
  if (!isName(step.name)) throw fault(`a step's name is kebab-case, at most ${nameMaxChars} characters`)
  if (steps.some(({ name }) => name === step.name)) throw fault('there is a step of this name already')
  if (steps.length >= stepsMax) throw fault(`a saga has at most ${stepsMax} steps`)
  if (whenUndone !== undefined) throw fault('whenUndone comes last')
  if (step.kind === 'call' && step.pivot && crossed) throw fault('there is a pivot already, and a saga has one at most')
  if (step.kind !== 'wait' && step.undo !== undefined && crossed) {
    throw fault('it has an undo and stands after the pivot, where nothing is undone any more: take the undo away')
  }
  if (step.kind === 'call' && !step.pivot && !within(step.timeoutMs, 3_600_000)) {
    throw fault(`timeoutMs is more than 0 and at most 3,600,000, not ${step.timeoutMs}`)
  }
  if (step.kind === 'wait') {
    if (!within(step.timeoutMs, waitMaxMs))
      throw fault(`timeoutMs is more than 0 and at most 366 days, not ${step.timeoutMs}`)
    const waited = [on, ...steps.flatMap((each) => (each.kind === 'wait' ? [each.event] : []))]
    if (waited.some((event) => idOf(event) === idOf(step.event))) {
      throw fault(
        `${step.event.contract}.${step.event.name} starts this saga or is waited for already: an event counts once`,
      )
    }
    const [key, started] = [keyTypeOf(step.event), keyTypeOf(on)]
    if (key !== started) {
      throw fault(
        `the key of ${step.event.contract}.${step.event.name} is a ${key} and that of the saga a ${started}: they never match`,
      )
    }
  }
}

function isName(name: string): boolean {
  return name.length <= nameMaxChars && nameForm.test(name)
}

function within(ms: number, most: number): boolean {
  return ms > 0 && ms <= most
}

function idOf(event: ContractEvent): string {
  return `${event.contractId}/${event.name}`
}

/** The JSON type of the field that orders an event. */
function keyTypeOf(event: ContractEvent): string {
  const schema = event.payload as { readonly shape?: Readonly<Record<string, { readonly type?: string }>> }
  return schema.shape?.[event.key]?.type ?? 'string'
}

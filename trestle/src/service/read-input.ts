import type { Call } from '../call/call.ts'
import { type Problem, platformProblem } from '../call/problem.ts'
import type { BoundOperation } from './bound-operation.ts'
import { place } from './problem-of-error.ts'

type Read = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: Problem }

/** The input as the handler reads it: a copy, checked by the contract, be it a value or a request from the edge. */
export function readInput(bound: BoundOperation, call: Call): Read {
  const { input } = call
  if (input.kind === 'rest') {
    const parsed = bound.compiled.parseRest(input)
    if (parsed.ok) return parsed
    return { ok: false, problem: platformProblem(parsed.code, { ...place(bound, call), errors: parsed.faults }) }
  }
  const parsed = bound.compiled.parseInput(input.value)
  if (parsed.ok) return parsed
  return { ok: false, problem: platformProblem('invalid_input', { ...place(bound, call), errors: parsed.faults }) }
}

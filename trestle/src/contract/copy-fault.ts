import { pointerToken } from './faults.ts'
import type { InputFault } from './input-fault.ts'

/** What a copy found wrong: a codec refused, or an `unknown` field holds what JSON cannot say. Stays inside this folder. */
export class CopyFault extends Error {
  readonly faults: readonly InputFault[]
  constructor(faults: readonly InputFault[]) {
    super('the value cannot be copied')
    this.faults = faults
  }
}

/** Runs `copy` and says in its faults that they lie under `key`. */
export function copyUnder<T>(key: string | number, copy: () => T): T {
  try {
    return copy()
  } catch (error) {
    if (!(error instanceof CopyFault)) throw error
    const prefix = pointerToken(key)
    throw new CopyFault(error.faults.map((fault) => ({ ...fault, pointer: prefix + fault.pointer })))
  }
}

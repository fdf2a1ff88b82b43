import { CopyFault } from './copy-fault.ts'

/** Copies what a schema says nothing about, by the rules of JSON. Throws `CopyFault` on what JSON cannot say. */
export function jsonCopy(value: unknown): unknown {
  if (typeof value !== 'object') return typeof value === 'number' ? jsonNumber(value) : jsonScalar(value)
  if (value === null) return null
  try {
    const text: string | undefined = JSON.stringify(value)
    return text === undefined ? undefined : JSON.parse(text)
  } catch (error) {
    const reason = error instanceof RangeError ? 'is nested too deeply' : 'cannot be written as JSON'
    throw new CopyFault([{ pointer: '', detail: reason }])
  }
}

const jsonNumber = (value: number) => (Number.isFinite(value) ? value + 0 : null)

function jsonScalar(value: unknown): unknown {
  if (typeof value === 'bigint') throw new CopyFault([{ pointer: '', detail: 'cannot be written as JSON' }])
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined
}

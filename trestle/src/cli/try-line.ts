import type { ExposedOperation } from '../gateway/index.ts'
import type { System } from '../system/system.ts'
import { exposedBy } from './system-contracts.ts'

/**
 * A `curl` line that works on a system that has just started: the first exposed operation that anyone may read and that
 * needs no input, a list before others; else the system's OpenAPI document.
 */
export function tryLine(system: System, gatewayUrl: string): string {
  const readable = exposedBy(system).filter(needsNothing)
  const list = readable.find(({ operation }) => 'limit' in operation.input.shape)
  const path = list === undefined ? readable[0]?.path : `${list.path}?limit=3`
  return `curl '${gatewayUrl}${path ?? '/openapi.json'}'`
}

function needsNothing({ method, path, operation }: ExposedOperation): boolean {
  return (
    method === 'GET' &&
    !path.includes('{') &&
    operation.access?.kind === 'anyone' &&
    operation.input.safeParse({}).success
  )
}

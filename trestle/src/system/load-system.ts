import { StartError } from './start-error.ts'
import type { System } from './system.ts'

/**
 * Imports the file that defines a system: its default export.
 * @throws StartError `system_invalid` with the cause
 */
export async function loadSystem(url: URL): Promise<System> {
  const loaded = await import(url.href).catch((cause: unknown) => {
    throw new StartError('system_invalid', `${url.pathname}: ${messageOf(cause)}`, { cause })
  })
  const found: unknown = (loaded as { default?: unknown }).default
  if (!isSystem(found)) {
    throw new StartError(
      'system_invalid',
      `${url.pathname} must export a system by default: export default system(...)`,
    )
  }
  return found
}

function isSystem(value: unknown): value is System {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'system'
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

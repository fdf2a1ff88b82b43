import type { RunningSystem } from './running-system.ts'
import type { StartOptions } from './start-system.ts'

/**
 * Starts a system as a topology places it, and resolves when it serves. Prints nothing. What was started is stopped
 * again when a step fails.
 * @throws StartError with a message of one line: `system_invalid`, `port_in_use`, `already_running`, `data_dir_unusable`,
 * `service_failed`, `store_failed`
 * @example
 * const running = await startSystem({ systemUrl: new URL('./system.ts', import.meta.url), topology: 'split' })
 * console.log(running.gatewayUrl)
 * await running.stop()
 */
export async function startSystem(options: StartOptions): Promise<RunningSystem> {
  // Every process of a system loads the entry that this stands in; only the one that starts it needs the rest.
  const { startSystem: start } = await import('./start-system.ts')
  return start(options)
}

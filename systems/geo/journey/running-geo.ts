import { fileURLToPath } from 'node:url'
import { type RunningCommand, startCommand } from 'trestle/testing'

const systemFolder = fileURLToPath(new URL('..', import.meta.url))

/** Starts the system by the command line, as a user does, in one process with data of its own that are deleted at the end. */
export function startGeo(env: Readonly<Record<string, string>> = {}): Promise<RunningCommand> {
  return startCommand(['start', systemFolder, '--topology', 'merged'], { env })
}

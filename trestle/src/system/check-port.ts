import { type AddressInfo, createServer } from 'node:net'
import type { Beside } from './beside.ts'
import { StartError } from './start-error.ts'

/** What listens: a part of this system, or another system that starts beside it. */
export type Listener = 'gateway' | 'admin' | Pick<Beside, 'variable'>

/**
 * Fails early, before anything is started, when a port cannot be had. Another process may still take it meanwhile: the
 * one who listens then says the same. Port 0 picks a free one, so that all who share the socket ask for the same.
 * @returns the port
 * @throws StartError `port_in_use`
 */
export async function checkPort(
  what: Listener,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, resolve)
    })
  } catch (cause) {
    throw portFailed(what, host, port, cause)
  }
  const { port: found } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return found
}

/** One line for a listener that could not listen. */
export function portFailed(what: Listener, host: string, port: number, cause: unknown): StartError {
  const code = (cause as NodeJS.ErrnoException).code
  const why =
    code === 'EADDRINUSE'
      ? 'another process listens there'
      : code === 'EACCES'
        ? 'this user may not listen there'
        : cause instanceof Error
          ? cause.message
          : String(cause)
  const [name, remedy] =
    typeof what === 'string'
      ? [`the ${what}`, `set TRESTLE_${what.toUpperCase()}_PORT`]
      : [
          'the system beside this one',
          `set ${what.variable} to its address where it runs already, or give it another port in the file of this system`,
        ]
  return new StartError('port_in_use', `${name} cannot listen on ${host}:${port}: ${why}; ${remedy}`, { cause })
}

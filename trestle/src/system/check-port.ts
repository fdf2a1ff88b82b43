import { type AddressInfo, createServer } from 'node:net'
import { StartError } from './start-error.ts'

/** What listens; `beside`: another system that starts with this one. */
export type Listener = 'gateway' | 'admin' | 'beside'

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
  return new StartError('port_in_use', `${names[what]} cannot listen on ${host}:${port}: ${why}; ${remedies[what]}`, {
    cause,
  })
}

const names = { gateway: 'the gateway', admin: 'the admin', beside: 'the system beside this one' }
const remedies = {
  gateway: 'set TRESTLE_GATEWAY_PORT',
  admin: 'set TRESTLE_ADMIN_PORT',
  beside: 'say where it runs already, or give it another port',
}

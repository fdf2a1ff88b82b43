/** Another system that this one needs and that somebody else could run as well. */
export interface Beside {
  /** The file whose default export is the other system. */
  readonly system: URL
  /** Default: as `trestle start` chooses. */
  readonly topology: string | undefined
  /** Where its gateway listens, when it is started here. */
  readonly port: number
  /** The environment variable in which its address is found. Where it is set already, nothing is started. */
  readonly variable: string
}

/** How the other system is started, and how this one finds it. */
export interface BesideOptions {
  /** Default: as `trestle start` chooses. */
  readonly topology?: string
  /** Port of its gateway, 1..65,535. */
  readonly port: number
  /**
   * The environment variable that says where it is, as a URL. Set from outside it means that somebody runs the other
   * system: then it is not started here. Else it is set for the services of this one.
   */
  readonly variable: string
}

/**
 * Names a system that `trestle start` starts beside this one: a process, a data directory and databases of its own, so
 * that one command brings up what is run by several teams elsewhere. It is started again when it dies.
 * @param system the file whose default export is the other system
 * @throws TypeError for a port or a variable that cannot be one
 * @example
 * system('store', {
 *   beside: { payments: beside(new URL('../payments/system.ts', import.meta.url), { port: 4100, variable: 'PAYMENTS_URL' }) },
 *   services: [external(provider, { url: (env) => env['PAYMENTS_URL'] ?? '' })],
 *   ...
 * })
 */
export function beside(file: URL, { topology, port, variable }: BesideOptions): Beside {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new TypeError(`beside(): the port ${port} is not a whole number from 1 to 65,535`)
  }
  if (!/^[A-Z][A-Z0-9_]*$/.test(variable)) {
    throw new TypeError(`beside(): '${variable}' is no name of an environment variable, such as PAYMENTS_URL`)
  }
  return { system: file, topology, port, variable }
}

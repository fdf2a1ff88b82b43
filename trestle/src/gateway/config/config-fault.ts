/** Something that is wrong in a configuration file, and where. */
export interface ConfigFault {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
  /** What is wrong, and what to do about it. Never holds a secret. */
  readonly message: string
}

/** A configuration that cannot be used: everything that is wrong with it, not only the first. */
export class GatewayConfigError extends Error {
  readonly code: 'config_invalid' | 'config_unreadable'
  readonly faults: readonly ConfigFault[]

  constructor(
    code: 'config_invalid' | 'config_unreadable',
    message: string,
    options: ErrorOptions & { readonly faults?: readonly ConfigFault[] } = {},
  ) {
    super(message, options)
    this.name = 'GatewayConfigError'
    this.code = code
    this.faults = options.faults ?? []
  }
}

/** @throws GatewayConfigError `config_invalid` when there are faults; lists them in the order of the file */
export function throwFaults(faults: readonly ConfigFault[]): void {
  if (faults.length === 0) return
  const sorted = faults.toSorted((a, b) => a.line - b.line || a.column - b.column)
  throw new GatewayConfigError('config_invalid', sorted.map(faultText).join('\n'), { faults: sorted })
}

/** `gateway.yaml:12:5: what is wrong`, as editors and terminals link it. */
function faultText({ file, line, column, message }: ConfigFault): string {
  return `${file}:${line}:${column}: ${message}`
}

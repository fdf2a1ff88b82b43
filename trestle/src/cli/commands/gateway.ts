import type { AddCommand } from '../program.ts'

/** `trestle gateway edge.yaml`: a gateway alone. */
export const gatewayCommand: AddCommand = (program, io) => {
  program
    .command('gateway')
    .description('run a gateway alone, in front of any HTTP services, as a YAML or JSON file describes it')
    .argument('[file]', 'the file', 'gateway.yaml')
    .option('--check', 'only look whether the file can be used: exit status 0, or 1 with everything that is wrong')
    .option('--json', 'print JSON')
    .addHelpText('after', notes)
    .action(async (file: string, options: { readonly check?: true; readonly json?: true }) => {
      const json = options.json === true
      if (options.check) return (await import('../check-gateway.ts')).checkGateway(io, file, { json })
      return (await import('../run-gateway.ts')).runGateway(io, file, { json })
    })
}

const notes = `
Examples:
  trestle gateway edge.yaml
  trestle gateway edge.yaml --check

A change of the file, of a file that it names, or SIGHUP puts the new version to work without a failed request; a version
that cannot be used is told, and what ran before goes on. SIGTERM and Ctrl-C let requests in progress finish.
TRESTLE_GATEWAY_PORT, TRESTLE_ADMIN_PORT, TRESTLE_DATA_DIR and TRESTLE_POSTGRES_URL go before what the file says.
`

import type { AddCommand } from '../program.ts'

/** `trestle routes`: the public addresses. */
export const routesCommand: AddCommand = (program, io) => {
  program
    .command('routes')
    .description('list the public addresses: method, path, host, what answers, who may ask, which policies hold')
    .argument('[system]', 'system file or folder, or the file of a gateway')
    .option('--json', 'print JSON')
    .addHelpText('after', notes)
    .action(async (argument: string | undefined, options: { readonly json?: true }) => {
      const { listRoutes } = await import('../list-routes.ts')
      await listRoutes(io, argument, { json: options.json === true })
    })
}

const notes = `
Of the running gateways, where the system runs; else of its definition. A line begins with the names of those that have it
when they differ, as while a deployment goes on.
`

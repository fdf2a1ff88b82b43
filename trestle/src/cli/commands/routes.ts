import { contextFor } from '../context.ts'
import type { Access } from '../../contract/access.ts'
import type { AddCommand } from '../program.ts'
import { textTable } from '../table.ts'

/** `trestle routes`: the public addresses. */
export const routesCommand: AddCommand = (program, io) => {
  program
    .command('routes')
    .description('list the public addresses: method, path, operation, who may ask, service')
    .argument('[system]', 'system file or folder')
    .option('--json', 'print JSON')
    .action(async (argument: string | undefined, options: { readonly json?: true }) => {
      const { exposedBy, systemOf } = await import('../system-contracts.ts')
      const system = await systemOf(contextFor(io, argument).found.file)
      const routes = exposedBy(system).map(({ method, path, contract, operation }) => ({
        method,
        path,
        operation: `${contract.name}.${operation.name}`,
        access: accessText(operation.access),
        service:
          system.services.find((one) => one.contracts.some(({ id }) => id === contract.id))?.name ?? contract.name,
        summary: operation.summary ?? '',
      }))
      if (options.json) return io.out(`${JSON.stringify(routes, undefined, 2)}\n`)
      const titles = ['METHOD', 'PATH', 'OPERATION', 'ACCESS', 'SERVICE'].map((title) => ({ title }))
      const rows = routes.map((route) => [route.method, route.path, route.operation, route.access, route.service])
      io.out(textTable(titles, rows))
    })
}

function accessText(access: Access | undefined): string {
  if (access === undefined) return '-'
  if (access.kind === 'scopes') return access.scopes.join(' ')
  return access.kind === 'anyone' ? 'anyone' : 'signed in'
}

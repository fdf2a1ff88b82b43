import { contextFor } from '../context.ts'
import type { AddCommand } from '../program.ts'

/** `trestle asyncapi [system]`. */
export const asyncapiCommand: AddCommand = (program, io) => {
  program
    .command('asyncapi')
    .description('print the AsyncAPI 3 document of all events')
    .argument('[system]', 'system file or folder')
    .action(async (argument: string | undefined) => {
      const [{ asyncapi }, { documentInfo }, { contractsOf, systemOf }] = await Promise.all([
        import('../../contract/index.ts'),
        import('../../gateway/index.ts'),
        import('../system-contracts.ts'),
      ])
      const system = await systemOf(contextFor(io, argument).found.file)
      const { title, version } = documentInfo(system.gateway, system.name)
      io.out(`${JSON.stringify(asyncapi(contractsOf(system), { title, version }), undefined, 2)}\n`)
    })
}

import { contextFor } from '../context.ts'
import type { AddCommand } from '../program.ts'

/** `trestle asyncapi [system]`. */
export const asyncapiCommand: AddCommand = (program, io) => {
  program
    .command('asyncapi')
    .description('print the AsyncAPI 3 document of all events')
    .argument('[system]', 'system file or folder')
    .action(async (argument: string | undefined) => {
      const [{ asyncapi }, { contractsOf, documentInfo, systemOf }] = await Promise.all([
        import('../../contract/index.ts'),
        import('../system-contracts.ts'),
      ])
      const system = await systemOf(contextFor(io, argument).found.file)
      io.out(`${JSON.stringify(asyncapi(contractsOf(system), documentInfo(system)), undefined, 2)}\n`)
    })
}

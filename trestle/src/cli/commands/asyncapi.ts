import { contextFor } from '../context.ts'
import type { AddCommand } from '../program.ts'
import { asyncapi } from '../../contract/index.ts'
import { contractsOf, documentInfo, systemOf } from '../system-contracts.ts'

/** `trestle asyncapi [system]`. */
export const asyncapiCommand: AddCommand = (program, io) => {
  program
    .command('asyncapi')
    .description('print the AsyncAPI 3 document of all events')
    .argument('[system]', 'system file or folder')
    .action(async (argument: string | undefined) => {
      const system = await systemOf(contextFor(io, argument).found.file)
      io.out(`${JSON.stringify(asyncapi(contractsOf(system), documentInfo(system)), undefined, 2)}\n`)
    })
}

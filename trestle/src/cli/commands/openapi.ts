import { contextFor } from '../context.ts'
import type { AddCommand } from '../program.ts'

/** `trestle openapi [system]`: what the gateway serves as `/openapi.json`. */
export const openapiCommand: AddCommand = (program, io) => {
  program
    .command('openapi')
    .description('print the OpenAPI 3.1 document of all exposed operations')
    .argument('[system]', 'system file or folder, or the file of a gateway')
    .addHelpText('after', '\nA running gateway serves the same as /openapi.json.\n')
    .action(async (argument: string | undefined) => {
      const [{ gatewayDocument }, { documentInfo }, { systemOf }] = await Promise.all([
        import('../../gateway/document/gateway-document.ts'),
        import('../../gateway/index.ts'),
        import('../system-contracts.ts'),
      ])
      const system = await systemOf(contextFor(io, argument).found.file)
      const document = await gatewayDocument(system.gateway, documentInfo(system.gateway, system.name))
      io.out(`${JSON.stringify(document, undefined, 2)}\n`)
    })
}

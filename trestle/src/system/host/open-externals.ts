import type { Handle } from '../../call/call.ts'
import { createHttpClient } from '../../http/index.ts'
import { httpTransport } from '../../transport/http/index.ts'
import type { ExternalService } from '../placed-service.ts'

/** Ways to the services that run elsewhere and speak HTTP, by contract id. */
export function openExternals(
  externals: readonly ExternalService[],
  opened: AsyncDisposableStack,
): ReadonlyMap<string, Handle> {
  const client = createHttpClient({})
  opened.defer(() => client.close())
  return new Map(
    externals.map(({ contract, url, headers }) => {
      const transport = httpTransport({ contract, url: url(process.env), client, headers })
      opened.defer(() => transport.close())
      return [contract.id, (call) => transport.send(call)]
    }),
  )
}

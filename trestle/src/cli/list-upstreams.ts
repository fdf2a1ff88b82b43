import { upstreamsTable } from './gateway-tables.ts'
import type { CliIo } from './io.ts'
import { withRunningSystem } from './running-system.ts'

/** Prints how those behind each running gateway stand. @throws CliError `not_running` */
export async function listUpstreams(
  io: CliIo,
  system: string | undefined,
  { json }: { readonly json: boolean },
): Promise<void> {
  const reports = await withRunningSystem(io, system, ({ operator }) => operator.gateways())
  const shown = reports.map(({ process, clusters }) => ({ gateway: process, upstreams: clusters }))
  if (json) return io.out(`${JSON.stringify(shown, undefined, 2)}\n`)
  shown.forEach(({ gateway, upstreams }, at) => {
    if (shown.length > 1) io.out(`${at === 0 ? '' : '\n'}${io.colors.bold(gateway)}\n`)
    const none = 'nothing that it balances: no upstreams, and no service in another process\n'
    io.out(upstreams.length === 0 ? none : upstreamsTable(upstreams, io, Date.now()))
  })
}

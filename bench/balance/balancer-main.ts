/**
 * `balancer-main.ts ours|round-robin PORT...`, forked: what stands in front of the upstreams at these ports. Says where
 * it listens. Its data, if it has any, lie in the current folder.
 */
import { roundRobin } from './round-robin.ts'

const [kind = '', ...ports] = process.argv.slice(2)
const targets = ports.map((port) => `http://127.0.0.1:${port}`)
process.on('disconnect', () => process.exit(0))
process.send?.({ url: kind === 'ours' ? await ours() : await roundRobin(targets) })

async function ours(): Promise<string> {
  const { anyone } = await import('trestle/contract')
  const { gateway, upstream } = await import('trestle/gateway')
  const { oneProcess, startSystem, system } = await import('trestle/system')
  const running = await startSystem({
    system: system('bench', {
      services: [],
      gateway: gateway({ routes: [upstream('/*', targets, { access: anyone() })] }),
      topologies: { merged: oneProcess() },
    }),
    gatewayPort: 0,
    dataDir: process.cwd(),
    logLevel: 'warn',
  })
  return running.gatewayUrl
}

import { join } from 'node:path'
import { freePort, get, startGateway, type Subject } from '../subject.ts'

/** `trestle-main.ts` runs ours with the features that are named. */
function subject(
  features: string,
  list: string,
  headers: Readonly<Record<string, string>> = {},
  path = '/items/1',
): Subject {
  return {
    gateway: 'trestle',
    features,
    async start({ upstreamPort, dir }) {
      const port = await freePort()
      const main = join(import.meta.dirname, 'trestle-main.ts')
      const running = await startGateway(process.execPath, [main, String(port), String(upstreamPort), list], {
        port,
        cwd: dir,
        env: { NODE_ENV: 'production' },
      })
      return { ...running, port, requests: [get(path, headers)] }
    },
  }
}

export const trestle: readonly Subject[] = [subject('bare', ''), subject('log', 'log'), subject('limit', 'limit')]

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, get, startGateway, type Subject } from '../subject.ts'

/** `trestle-main.ts` runs ours with the features that are named. */
function subject(features: string, list: string, path = '/items/1'): Subject {
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
      const { headers } = await ready(join(dir, 'ready.json'))
      return { ...running, port, requests: [get(path, headers)] }
    },
  }
}

/** Written when everything that a request needs has been made. */
async function ready(file: string): Promise<{ readonly headers: Readonly<Record<string, string>> }> {
  const untilMs = performance.now() + 20_000
  while (!existsSync(file) && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 50))
  return JSON.parse(readFileSync(file, 'utf8')) as { readonly headers: Readonly<Record<string, string>> }
}

export const trestle: readonly Subject[] = [
  subject('bare', ''),
  subject('log', 'log'),
  subject('cors', 'cors'),
  subject('10,000 routes', 'routes'),
  subject('limit', 'limit'),
  subject('key', 'key'),
  subject('key + limit + log', 'key,limit,log'),
  subject('key + quota', 'key,quota'),
  subject('jwt', 'jwt'),
  subject('aggregation of five', '', '/five'),
]

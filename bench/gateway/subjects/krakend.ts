import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { freePort, get, startGateway, type Subject } from '../subject.ts'

const cache = join(import.meta.dirname, '../../../node_modules/.cache/trestle-bench/krakend')
const source = 'github.com/krakend/krakend-ce/v2/cmd/krakend-ce@v2.10.2'

/** Built with the Go toolchain, when there is one and its module proxy has the source. */
function build(): string {
  const program = join(cache, 'krakend-ce')
  if (existsSync(program)) return program
  mkdirSync(cache, { recursive: true })
  try {
    execFileSync('go', ['install', source], { env: { ...process.env, GOBIN: cache }, stdio: 'pipe' })
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim().split('\n').at(-1) ?? String(error)
    throw new Error(`it could not be built: ${said.trim()}`, { cause: error })
  }
  return program
}

/** One endpoint in front of one backend, passed through as it is. */
export const krakend: readonly Subject[] = [
  {
    gateway: 'krakend',
    features: 'bare',
    async start({ upstreamPort, dir }) {
      const program = build()
      const port = await freePort()
      const file = join(dir, 'krakend.json')
      const backend = { url_pattern: '/items/{id}', host: [`http://127.0.0.1:${upstreamPort}`], encoding: 'no-op' }
      const endpoint = { endpoint: '/items/{id}', output_encoding: 'no-op', backend: [backend] }
      await writeFile(file, JSON.stringify({ version: 3, port, endpoints: [endpoint] }))
      const running = await startGateway(program, ['run', '-c', file], { port, env: { GOMAXPROCS: '1' } })
      return { ...running, port, requests: [get('/items/1')] }
    },
  },
]

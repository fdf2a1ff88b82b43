import type { ExposedOperation } from '../gateway/index.ts'
import { get } from '../http/node-http.ts'
import type { System } from '../system/system.ts'
import { exposedBy } from './system-contracts.ts'

const triesMax = 5
const timeoutMs = 2_000

/**
 * A `curl` line that works: of the exposed operations that anyone may read and that need no input, lists before others,
 * the first one that really answers; else the system's OpenAPI document.
 */
export async function tryLine(system: System, gatewayUrl: string): Promise<string> {
  const readable = exposedBy(system).filter(needsNothing)
  const paths = [
    ...readable.filter(isList).map(({ path }) => `${path}?limit=3`),
    ...readable.filter((one) => !isList(one)).map(({ path }) => path),
  ]
  for (const path of paths.slice(0, triesMax)) if (await answers(gatewayUrl + path)) return curl(gatewayUrl + path)
  return curl(`${gatewayUrl}/openapi.json`)
}

function isList({ operation }: ExposedOperation): boolean {
  return 'limit' in operation.input.shape
}

function needsNothing({ method, path, operation }: ExposedOperation): boolean {
  return (
    method === 'GET' &&
    !path.includes('{') &&
    operation.access?.kind === 'anyone' &&
    operation.input.safeParse({}).success
  )
}

/** Not by `fetch`: that loads a whole HTTP client into a process that stays, for this one question. */
function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get(url, { signal: AbortSignal.timeout(timeoutMs), agent: false }, ({ statusCode = 0 }) => {
      resolve(statusCode >= 200 && statusCode < 300)
      asked.destroy()
    }).on('error', () => resolve(false))
  })
}

function curl(url: string): string {
  return `curl '${url}'`
}

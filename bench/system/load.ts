import { Agent, request } from 'node:http'

/** One request of a journey, and how its reply is known to be right. */
export interface Ask {
  readonly name: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly isRight: (body: string) => boolean
}

/** Asks `atOnce` at a time over connections that are kept, for `seconds`. A wrong reply voids the run. Answers how many. */
export async function askFor(origin: string, ask: Ask, options: { readonly seconds: number; readonly atOnce: number }) {
  const agent = new Agent({ keepAlive: true, maxSockets: options.atOnce })
  const untilMs = performance.now() + options.seconds * 1_000
  let asked = 0
  const worker = async () => {
    do {
      await askOnce(new URL(ask.path, origin), ask, agent)
      asked += 1
    } while (performance.now() < untilMs)
  }
  try {
    await Promise.all(Array.from({ length: options.atOnce }, worker))
  } finally {
    agent.destroy()
  }
  return asked
}

export function askOnce(url: URL, ask: Ask, agent?: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { ...ask.headers }, ...(agent === undefined ? {} : { agent }) }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200 && ask.isRight(body)) resolve()
        else reject(new Error(`${ask.name} was answered with ${response.statusCode}: ${body.slice(0, 200)}`))
      })
    })
      .on('error', reject)
      .end()
  })
}

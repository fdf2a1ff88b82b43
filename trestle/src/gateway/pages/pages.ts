import { anyone, type Access } from '../../contract/access.ts'
import type { HttpResponse } from '../../http/message.ts'
import type { EdgeRequest } from '../request/edge-request.ts'
import type { Endpoint } from '../route/endpoint.ts'

/** How a service stands, as readiness tells it. */
export interface ServiceReadiness {
  readonly name: string
  readonly state: 'ready' | 'starting' | 'draining' | 'down' | 'stopped'
  /** Instances that take calls. */
  readonly instances: number
}

/** What `/readyz` answers from: the gateway itself, and each service. */
export interface Readiness {
  /** Whether this gateway can serve at all: it listens, and knows where the services are. */
  readonly ready: boolean
  /** Down or not: a missing service fails its own routes, and takes no gateway out of a load balancer. */
  readonly services: readonly ServiceReadiness[]
}

/** A page beside the operations: `GET` only. */
export interface Page {
  readonly path: string
  readonly summary: string
  /** Default: anyone. */
  readonly access?: Access
  readonly answer: (request: EdgeRequest) => HttpResponse | Promise<HttpResponse>
}

export function pageEndpoint(page: Page): Endpoint {
  return {
    method: 'GET',
    template: page.path,
    place: `the page "${page.summary}"`,
    operation: undefined,
    target: 'page',
    cost: 0,
    policies: [],
    access: page.access ?? anyone(),
    allowInPath: [],
    answer: page.answer,
  }
}

const noStore = ['Cache-Control', 'no-store'] as const

function jsonPage(status: number, value: unknown): HttpResponse {
  return { status, headers: [['Content-Type', 'application/json'], noStore], body: JSON.stringify(value) }
}

/** `/livez`: the process answers. `/readyz`: it can serve, and how each service stands. */
export function healthPages(readiness: () => Readiness): readonly Page[] {
  return [
    { path: '/livez', summary: 'Whether the gateway is alive', answer: () => jsonPage(200, { status: 'alive' }) },
    {
      path: '/readyz',
      summary: 'Whether the gateway can serve, and how each service stands',
      answer() {
        const { ready, services } = readiness()
        return jsonPage(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', services })
      },
    },
  ]
}

/** `/openapi.json`: every exposed operation as one document, written at the first request. */
export function documentPage(document: () => object): Page {
  let bytes: Uint8Array | undefined
  return {
    path: '/openapi.json',
    summary: 'Every operation as one OpenAPI 3.1 document',
    answer() {
      bytes ??= Buffer.from(JSON.stringify(document()))
      return { status: 200, headers: [['Content-Type', 'application/json']], body: bytes }
    },
  }
}

/** `/`: what this is and where to look next, for whoever opens it in a browser. */
export function homePage(info: { readonly title: string; readonly version: string }, pages: readonly Page[]): Page {
  const home = {
    title: info.title,
    version: info.version,
    description: 'This is the gateway of a Trestle system. Every operation is described in /openapi.json.',
    links: Object.fromEntries(pages.map(({ path, summary }) => [path, summary])),
  }
  const body = `${JSON.stringify(home, undefined, 2)}\n`
  return {
    path: '/',
    summary: 'What this is',
    answer: () => ({ status: 200, headers: [['Content-Type', 'application/json']], body }),
  }
}

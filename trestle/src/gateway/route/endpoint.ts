import type { Access } from '../../contract/access.ts'
import type { HttpResponse } from '../../http/message.ts'
import type { PathAmbiguity } from '../request/canonical-path.ts'
import type { EdgeRequest, RequestNotes } from '../request/edge-request.ts'
import type { RouteKey } from './route-table.ts'

/** What answers at one address. */
export interface Endpoint extends RouteKey {
  /** `orders.place`; `undefined` for a page of the gateway itself. */
  readonly operation: string | undefined
  readonly access: Access
  readonly allowInPath: readonly PathAmbiguity[]
  /** @throws Refused, HttpError */
  answer(request: EdgeRequest, notes: RequestNotes): HttpResponse | Promise<HttpResponse>
}

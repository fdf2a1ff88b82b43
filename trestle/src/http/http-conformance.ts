import { describe } from 'vitest'
import { clientConformance } from './conformance/client.ts'
import type { HttpEngine } from './conformance/engine.ts'
import { framingConformance } from './conformance/framing.ts'
import { hostileConformance } from './conformance/hostile.ts'
import { limitsConformance } from './conformance/limits.ts'
import { repliesConformance } from './conformance/replies.ts'
import { requestsConformance } from './conformance/requests.ts'

/** What every HTTP engine must do that slips under `http/message.ts`. Call it in a test file. */
export function httpConformance(name: string, engine: HttpEngine): void {
  describe(`the HTTP engine ${name}`, () => {
    requestsConformance(engine)
    framingConformance(engine)
    limitsConformance(engine)
    repliesConformance(engine)
    hostileConformance(engine)
    clientConformance(engine)
  })
}

import type { Bus } from '../store/outbox/bus.ts'
import { eventPayloadMaxBytes } from '../store/outbox/publish-buffer.ts'
import { StartError } from './start-error.ts'

/**
 * How events cross between the services of a system. `embedded`: without a broker; they stay in the database of the
 * service that publishes them, and consumers read them there.
 */
export type BusChoice = 'embedded'

/**
 * What every system needs of its bus. Order, acknowledgement and deliveries may be as they are: the inbox puts events of a
 * key in order and handles each once, whatever the bus does.
 * @throws StartError `system_invalid` with what the bus lacks
 */
export function checkBus(system: string, { name, capabilities }: Pick<Bus, 'name' | 'capabilities'>): void {
  const { payloadMaxBytes, durability } = capabilities
  const lacks: string[] = []
  if (payloadMaxBytes < eventPayloadMaxBytes) {
    lacks.push(`carries payloads of ${payloadMaxBytes} bytes, and services may publish ${eventPayloadMaxBytes}`)
  }
  if (durability === 'memory') lacks.push('forgets what it has acknowledged when it is restarted')
  if (lacks.length > 0) throw new StartError('system_invalid', `${system}: the bus ${name} ${lacks.join(', and ')}`)
}

import type { Log } from '../../service/service.ts'
import type { SupervisorEvent } from '../../supervisor/index.ts'

/** Whatever the supervisor does by itself is in the log, with its reason. */
export function logSupervision(log: Log, event: SupervisorEvent): void {
  const { kind, id, ...rest } = event
  const fields = { process: id, ...rest }
  if (kind === 'started' || kind === 'stopped') log.info(fields, `process ${kind}`)
  else if (kind === 'gave_up') log.error(fields, 'process crashed too often: given up until it is started by hand')
  else log.warn(fields, `process ${kind}`)
}

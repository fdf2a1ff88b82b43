import type { Log } from '../../service/service.ts'
import type { SupervisorEvent } from '../../supervisor/index.ts'

/** Whatever the supervisor does by itself is in the log, with its reason. */
export function logSupervision(log: Log, event: SupervisorEvent): void {
  const { kind, id, ...rest } = event
  // `pid` in a log line is the pid of who writes it.
  const fields =
    'pid' in rest ? { process: id, childPid: rest.pid, tookMs: Math.round(rest.tookMs) } : { process: id, ...rest }
  if (kind === 'started' || kind === 'stopped') log.info(fields, `process ${kind}`)
  else if (kind === 'gave_up') log.error(fields, 'process crashed too often: given up until it is started by hand')
  else log.warn(fields, `process ${kind}`)
}

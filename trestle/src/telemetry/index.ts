export { type AccessRecord, accessLog } from './access-log.ts'
export { createLog, type Log, type LogLevel } from './log.ts'
export { mergeMetrics } from './merge-metrics.ts'
export {
  createMetrics,
  type Metrics,
} from './metrics.ts'
export { processGauges } from './process-gauges.ts'

export { redactedFields } from './redact.ts'

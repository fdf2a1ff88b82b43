export { type AccessLog, type AccessRecord, accessLog } from './access-log.ts'
export { createLog, type Log, type LogLevel, type LogOptions, logLevels } from './log.ts'
export { mergeMetrics, type MetricsPart } from './merge-metrics.ts'
export {
  type Cell,
  createMetrics,
  type Family,
  type GaugeCell,
  type HistogramCell,
  type HistogramOptions,
  type MetricOptions,
  type Metrics,
  overflowLabel,
} from './metrics.ts'
export { type ProcessGauges, processGauges } from './process-gauges.ts'
export { metricsContentType } from './prometheus-text.ts'
export { redactedFields } from './redact.ts'

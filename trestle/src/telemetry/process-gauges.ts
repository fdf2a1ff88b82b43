import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Metrics } from './metrics.ts'

/** Ends what measures; until then the event-loop histogram costs a timer. */
export interface ProcessGauges {
  stop(): void
}

/** Puts this process's CPU, memory, event-loop delay and start time into `metrics`. */
export function processGauges(metrics: Metrics): ProcessGauges {
  const cpu = metrics
    .counter('process_cpu_seconds_total', { help: 'User and system CPU time spent, in seconds.' })
    .with()
  const resident = metrics.gauge('process_resident_memory_bytes', { help: 'Resident memory, in bytes.' }).with()
  const heap = metrics.gauge('nodejs_heap_used_bytes', { help: 'Used part of the JavaScript heap, in bytes.' }).with()
  const started = metrics.gauge('process_start_time_seconds', { help: 'Start of the process, seconds since 1970.' })
  const delay = metrics.gauge('nodejs_eventloop_delay_seconds', {
    help: 'How late timers ran since the last collection, in seconds.',
    labels: ['quantile'],
  })
  const loop = monitorEventLoopDelay({ resolution: 20 })
  loop.enable()
  started.with().set(performance.timeOrigin / 1_000)
  let counted = 0
  metrics.onCollect(() => {
    const { user, system } = process.cpuUsage()
    cpu.add((user + system) / 1e6 - counted)
    counted = (user + system) / 1e6
    resident.set(process.memoryUsage.rss())
    heap.set(process.memoryUsage().heapUsed)
    for (const quantile of [50, 99]) delay.with(String(quantile / 100)).set(seconds(loop.percentile(quantile)))
    delay.with('1').set(seconds(loop.max))
    loop.reset()
  })
  return { stop: () => void loop.disable() }
}

/** Nanoseconds to seconds; before the first sample the histogram has no sensible number. */
function seconds(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) && nanoseconds < 1e15 ? nanoseconds / 1e9 : 0
}

import type { RunningSystem } from '../system/index.ts'
import type { CliIo } from './io.ts'
import { catchEndSignals } from './signals.ts'

/** What a program keeps running until somebody ends it. */
export interface Keeping {
  /** For messages. */
  readonly name: string
  /** Rejects with the signal's reason when it aborts. */
  readonly start: (signal: AbortSignal) => Promise<RunningSystem>
  /** Says where everything is. */
  readonly announce: (running: RunningSystem, tookMs: number) => Promise<void>
  /** Says nothing but what `announce` does. */
  readonly quiet: boolean
  /** What goes on while it runs; disposed of before the system is stopped. `ending` aborts then. */
  readonly whileRunning?: ((running: RunningSystem, ending: AbortSignal) => Disposable) | undefined
  /** SIGHUP means this, and not the end. */
  readonly onHangUp?: () => void
}

/** Starts a system, and keeps it until a signal ends it; a second signal ends it at once. */
export async function keepRunning(io: CliIo, keeping: Keeping): Promise<void> {
  const startedAt = io.now()
  let endAtOnce: () => void = exitNow
  using signals = catchEndSignals(() => endAtOnce(), { onHangUp: keeping.onHangUp })
  await using running = await keeping.start(signals.ending).catch((error: unknown) => {
    if (error === signals.ending.reason) return undefined
    throw error
  })
  if (running === undefined) return io.out(`\n${keeping.name} was stopped while it started\n`)
  endAtOnce = () => {
    running.kill()
    exitNow()
  }
  await keeping.announce(running, io.now() - startedAt)
  const signal = await untilEnd(running, signals.first, keeping)
  if (signal !== undefined && !keeping.quiet) io.out(`\nstopping ${running.name} (again: end it at once)\n`)
  await running.stop()
}

function exitNow(): never {
  process.exit(1)
}

async function untilEnd(
  running: RunningSystem,
  signal: Promise<NodeJS.Signals>,
  { whileRunning }: Keeping,
): Promise<NodeJS.Signals | undefined> {
  const ending = new AbortController()
  using meanwhile = new DisposableStack()
  meanwhile.use(whileRunning?.(running, ending.signal))
  const first = await Promise.race([signal, running.stopped])
  ending.abort()
  return first ?? undefined
}

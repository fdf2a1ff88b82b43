import type { CliIo } from './io.ts'

/** Says what is being done once it takes longer than `quietMs`; silent about what is quick. */
export interface Progress {
  /** What is done now. */
  step(message: string): void
  /** Takes the moving line away; call before anything else is printed and at the end. */
  stop(): void
}

const quietMs = 1_000
const frameMs = 120
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** On a terminal one line that moves; elsewhere a plain line per step, on stderr either way. */
export function startProgress(io: CliIo): Progress {
  return io.terminal ? movingLine(io) : plainLines(io)
}

function movingLine(io: CliIo): Progress {
  const started = io.now()
  let message = ''
  let frame = 0
  let shown = false
  const draw = () => {
    const elapsedMs = io.now() - started
    if (elapsedMs < quietMs || message === '') return
    shown = true
    io.err(
      `\r\u001B[2K${io.colors.cyan(frames[frame++ % frames.length] ?? '')} ${message} ${io.colors.dim(seconds(elapsedMs))}`,
    )
  }
  const timer = setInterval(draw, frameMs)
  timer.unref()
  return {
    step: (next) => {
      message = next
    },
    stop: () => {
      clearInterval(timer)
      if (shown) io.err('\r\u001B[2K')
      shown = false
    },
  }
}

function plainLines(io: CliIo): Progress {
  const started = io.now()
  let waiting: string | undefined
  let last = ''
  const say = (message: string) => {
    if (message !== last) io.err(`${message} (${seconds(io.now() - started)})\n`)
    last = message
  }
  const timer = setTimeout(() => {
    if (waiting !== undefined) say(waiting)
    waiting = undefined
  }, quietMs)
  timer.unref()
  return {
    step: (message) => {
      if (io.now() - started >= quietMs) say(message)
      else waiting = message
    },
    stop: () => clearTimeout(timer),
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
}

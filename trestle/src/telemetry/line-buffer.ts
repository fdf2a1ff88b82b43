import type { Clock, Timer } from '../std/clock.ts'

/** Where whole lines go at last. */
export interface LineSink {
  write(lines: string): unknown
}

/** Lines are held so long at most, milliseconds: what a process that is killed can lose of its quieter lines. */
const heldMs = 50
const heldMaxChars = 16_384
/** pino's levels from `warn` on. */
const urgent = 40
/** Asks pino to say the level of each line. Source: its documentation of custom streams. */
const wantsMetadata = Symbol.for('pino.metadata')

/**
 * Gathers log lines and writes them together: a write for each line costs more than the line. Warnings and errors, and
 * what was held before them, are written at once.
 */
export class LineBuffer {
  readonly [wantsMetadata] = true
  /** Set by pino before each write. */
  lastLevel = 0
  readonly #sink: LineSink
  readonly #clock: Clock
  #held = ''
  #timer: Timer | undefined

  constructor(sink: LineSink, clock: Clock) {
    this.#sink = sink
    this.#clock = clock
  }

  write(line: string): void {
    this.#held += line
    if (this.lastLevel >= urgent || this.#held.length >= heldMaxChars) this.flush()
    else this.#timer ??= this.#clock.setTimeout(() => this.flush(), heldMs)
  }

  /** Writes what is held. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const lines = this.#held
    this.#held = ''
    if (lines !== '') this.#sink.write(lines)
  }
}

import { HttpError } from './message.ts'

interface Waiter {
  readonly enter: () => void
  readonly leave: (error: HttpError) => void
}

/** A bounded number of places and a bounded line before them: first come, first served. */
export class Places {
  readonly #waiting = new Set<Waiter>()
  readonly #max: number
  readonly #waitingMax: number
  readonly #what: string
  #taken = 0

  constructor(max: number, waitingMax: number, what: string) {
    this.#max = max
    this.#waitingMax = waitingMax
    this.#what = what
  }

  /** Takes a place. @throws HttpError `overloaded` when the line is full or the wait too long, `aborted` */
  async take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw unsent(signal.reason, this.#what)
    if (this.#taken < this.#max) {
      this.#taken += 1
      return
    }
    if (this.#waiting.size >= this.#waitingMax) {
      throw new HttpError('overloaded', `${this.#waitingMax} requests wait for a connection to ${this.#what} already`)
    }
    await new Promise<void>((enter, leave) => {
      const waiter = {
        enter: () => {
          signal.removeEventListener('abort', onAbort)
          enter()
        },
        leave,
      }
      const onAbort = () => {
        this.#waiting.delete(waiter)
        leave(unsent(signal.reason, this.#what))
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiter)
    })
  }

  /** Gives a place back: the next in line has it. */
  give(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#taken -= 1
      return
    }
    this.#waiting.delete(next)
    next.enter()
  }
}

/** Who gives up in the line has sent nothing, and is told so. */
function unsent(reason: unknown, what: string): HttpError {
  const late = reason instanceof HttpError && reason.code === 'timeout'
  return late
    ? new HttpError('overloaded', `No connection to ${what} became free in time`)
    : new HttpError('aborted', 'The request was given up before it was sent', { cause: reason })
}

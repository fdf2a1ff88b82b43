import type { ChildExit } from '../../supervisor/index.ts'
import type { FromChild, ToChild } from './messages.ts'

/** A child process as its parent sees it. */
export interface ChildHandle {
  readonly pid: number | undefined
  send(message: ToChild): void
  /** Called for each message, in order. */
  onMessage(listener: (message: FromChild) => void): void
  /** Resolves, never rejects, when the process has gone. */
  readonly exited: Promise<ChildExit>
  /** SIGKILL. `reason` becomes the exit's. */
  kill(reason: string): void
}

/** Makes a process with a channel. The gateway's processes share their public socket. */
export type SpawnChild = (options: { readonly sharesSocket: boolean }) => ChildHandle

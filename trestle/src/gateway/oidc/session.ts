import type { OutsideCaller } from '../authentication/authenticator.ts'

/** What the cookie of somebody who is signed in holds, encrypted. */
export interface Session {
  readonly caller: OutsideCaller
  /** Subject at the issuer. */
  readonly subject: string
  /** Wall clock, milliseconds: then it ends whatever happens. */
  readonly untilMs: number
  /** Until then it needs no refresh; `undefined`: it cannot be refreshed and needs none. */
  readonly freshUntilMs: number | undefined
  readonly refreshToken: string | undefined
}

/** What the cookie of somebody who is signing in holds, encrypted. */
export interface LoginAttempt {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly redirectUri: string
  readonly returnTo: string
  readonly untilMs: number
}

/** Ends a command with an exit status after it has said all there is to say. */
export class Finished extends Error {
  readonly status: number
  constructor(status: number) {
    super(`exit status ${status}`)
    this.name = 'Finished'
    this.status = status
  }
}

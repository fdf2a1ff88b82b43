/** Something is wrong with a contract as written. Thrown when it is defined, never while it serves. */
export class ContractError extends Error {
  readonly code = 'invalid_contract'
  /** Where: `orders.place input.lines[].price`. */
  readonly place: string
  constructor(place: string, message: string) {
    super(`${place}: ${message}`)
    this.name = 'ContractError'
    this.place = place
  }
}

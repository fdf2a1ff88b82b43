/** One way to run checkouts. Each writes the order, does five steps, and has the order confirmed in the end. */
export interface Contender extends AsyncDisposable {
  readonly name: string
  /** Starts a checkout; resolves when it has ended. */
  checkout(id: string): Promise<void>
  /** Orders that are confirmed. */
  confirmed(): Promise<number>
}

/** What a step gives back. The work itself is nothing, so that what is measured is what makes it durable. */
export async function work(step: string, id: string): Promise<{ readonly reference: string }> {
  return { reference: `${step}-${id}` }
}

/** Operations of a feed contract. */
export type FeedOperation = 'read' | 'head' | 'positionAt'

/**
 * Id of the platform's contract by which other processes read the events of a contract: `orders.feed@1` of `orders@1`.
 * No contract of a user has a dot in its name.
 */
export function feedContractId(stream: string): string {
  const at = stream.lastIndexOf('@')
  return `${stream.slice(0, at)}.feed${stream.slice(at)}`
}

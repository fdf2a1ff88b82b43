/**
 * The order in which whoever writes several instances comes by their rows: two that come by the same rows in different orders
 * wait for each other, until the database ends one of them.
 * @example rows.toSorted(byKey)
 */
export function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : Number(a.key > b.key)
}

/** Why an order was not placed; kept, so that the same key is told the same again. */
export type Refusal =
  | { readonly code: 'cart_empty' }
  | { readonly code: 'out_of_stock'; readonly details: { readonly sku: string; readonly available: number } }
  | { readonly code: 'product_gone'; readonly details: { readonly sku: string } }

/** The tables of the carts service; see migrations/. */
export interface CartsTables {
  carts: CartRow
  cart_lines: CartLineRow
}

export interface CartRow {
  user_id: string
  version: number
}

export interface CartLineRow {
  user_id: string
  sku: string
  quantity: number
  changed_in: number
  added_in: number
}

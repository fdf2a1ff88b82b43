import type { Generated, GeneratedAlways } from 'kysely'

/** The tables of the catalogue service; see migrations/. */
export interface CatalogueTables {
  categories: CategoryRow
  products: ProductsTable
  prices: PriceRow
  seed_progress: { only_row: Generated<boolean>; loaded: number }
}

export interface CategoryRow {
  id: string
  name: string
  parent: string | null
  position: number
}

export interface ProductsTable {
  id: string
  sku: string
  name: string
  description: string
  category: string
  search: GeneratedAlways<string>
}

export interface PriceRow {
  product_id: string
  version: number
  /** A bigint: the driver reads it as text. */
  amount: string
  currency: string
  valid_from: Date
  changed_by: string
}

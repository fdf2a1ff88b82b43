/** The tables of the recommendations service; see migrations/. */
export interface RecommendationsTables {
  sold: { sku: string; orders: number }
  sold_together: { sku: string; other: string; orders: number }
  ordered: { customer_id: string; sku: string; last_at: Date }
}

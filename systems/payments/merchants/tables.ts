/** The tables of the merchants service; see migrations/. */
export interface MerchantsTables {
  merchants: MerchantRow
}

export interface MerchantRow {
  merchant_id: string
  business_name: string
  email: string
  country_code: string
  status: 'pending' | 'active' | 'suspended'
  created_at: Date
}

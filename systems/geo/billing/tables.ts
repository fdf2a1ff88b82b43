import type { PlanName } from '../plans.ts'

/** The tables of the billing service; see migrations/. */
export interface BillingTables {
  subscriptions: { account_id: string; plan: PlanName; since: Date; keys_due: boolean }
  periods: PeriodRow
  invoices: InvoiceRow
  invoice_lines: InvoiceLineRow
}

export interface PeriodRow {
  account_id: string
  plan: PlanName
  starts_at: Date
  ends_at: Date | null
}

export interface InvoiceRow {
  id: string
  account_id: string
  month: string
  total_amount: string | number
  currency: string
  requests: string | number
  units: string | number
  closed_at: Date
}

export interface InvoiceLineRow {
  invoice_id: string
  plan: PlanName
  days: number
  price_amount: string | number
}

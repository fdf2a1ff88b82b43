import type { Generated } from 'kysely'

/** The tables of the switches service; see migrations/. */
export interface SwitchesTables {
  switches: SwitchesTable
  answers: { payment_id: string; step: string; declined: boolean }
}

interface SwitchesTable {
  only_row: Generated<boolean>
  decline_authorizations: number
  decline_captures: number
  declined_payers: string[]
  time_out_authorizations: number
  time_out_captures: number
  time_out_refunds: number
  webhooks_late_ms: number
  webhooks_repeated: number
  webhooks_reordered_ms: number
  deliveries: Generated<number>
}

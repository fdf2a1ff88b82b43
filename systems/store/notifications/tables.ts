/** The tables of the notifications service; see migrations/. */
export interface NotificationsTables {
  mails: MailRow
}

export interface MailRow {
  order_id: string
  kind: 'confirmed' | 'rejected' | 'cancelled'
  outcome: 'sent' | 'no_server' | 'no_account'
  message_id: string
  at: Date
}

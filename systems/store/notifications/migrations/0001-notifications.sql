-- What was sent about which order. No address and no name stands here.
create table mails (
  order_id uuid not null,
  kind text not null check (kind in ('confirmed', 'rejected', 'cancelled')),
  outcome text not null check (outcome in ('sent', 'no_server', 'no_account')),
  message_id text not null,
  at timestamptz not null,
  primary key (order_id, kind)
);

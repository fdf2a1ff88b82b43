-- What is known of the payment of an order. Each column is learnt once, from a reply, a webhook or a look-up, in any
-- order, and is never taken back; how far the payment has come follows from which of them are there.
create table payments (
  order_id uuid primary key,
  -- Not known of a payment that was closed before it began.
  amount bigint check (amount > 0),
  currency text check (currency ~ '^[A-Z]{3}$'),
  -- What the payment system calls it.
  provider_order_id text unique,
  approve_url text,
  approved_at timestamptz,
  authorization_id text,
  -- The money may be on its way: from here on it is captured first and refunded then, no longer closed.
  capturing_at timestamptz,
  -- Amounts are what the payment system says that it has moved.
  capture_id text unique,
  captured_amount bigint,
  refund_id text unique,
  refunded_amount bigint,
  declined_reason text,
  -- Nothing may be captured from here on.
  closing_at timestamptz,
  closed_at timestamptz,
  created_at timestamptz not null,
  -- When to ask the payment system about it, should it not have told by then.
  look_at timestamptz,
  check ((amount is null) = (currency is null)),
  check (amount is not null or closing_at is not null),
  check (capturing_at is null or closing_at is null),
  check ((capture_id is null) = (captured_amount is null)),
  check ((refund_id is null) = (refunded_amount is null)),
  check (refund_id is null or capture_id is not null)
);
create index payments_to_look_at on payments (look_at) where look_at is not null;

-- Every request that may have an effect at the payment system, under the id that makes it one effect.
create table attempts (
  request_id text primary key,
  order_id uuid not null references payments (order_id),
  tries integer not null default 1 check (tries > 0),
  sent_at timestamptz not null,
  -- What came of it; null: nobody knows yet.
  outcome text
);
create index attempts_of_order on attempts (order_id, sent_at);

-- Events of the payment system that have been taken in. What they said of the buyer is not kept.
create table webhook_events (
  id uuid primary key,
  received_at timestamptz not null
);
create index webhook_events_by_age on webhook_events (received_at);

create table webhooks (
  url text primary key,
  -- What the payment system calls it, and signs.
  id text not null,
  registered_at timestamptz not null
);

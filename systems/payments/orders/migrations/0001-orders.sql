create table orders (
  id uuid primary key,
  merchant_id text not null,
  intent text not null check (intent in ('CAPTURE', 'AUTHORIZE')),
  status text not null check (status in ('CREATED', 'APPROVED', 'COMPLETED', 'VOIDED')),
  -- Minor units.
  amount bigint not null check (amount > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  reference_id text not null,
  description text,
  custom_id text,
  invoice_id text,
  brand_name text,
  return_url text,
  cancel_url text,
  payer_id uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Not paid then, it is void.
  expires_at timestamptz not null,
  -- While an authorization of it is open: until then.
  held_until timestamptz,
  check (payer_id is not null or status in ('CREATED', 'VOIDED'))
);
-- One order for each invoice, apart from those that were called off.
create unique index orders_of_invoice on orders (merchant_id, invoice_id) where status <> 'VOIDED';
create index orders_by_invoice on orders (merchant_id, invoice_id, id desc) where invoice_id is not null;
create index orders_that_expire on orders (expires_at) where status in ('CREATED', 'APPROVED');
create index orders_that_hold on orders (held_until) where held_until is not null;

-- Every movement of an order's money: written down as `pending` first, then made in the ledger under its id, then ended.
create table payments (
  id uuid primary key,
  order_id uuid not null references orders (id),
  kind text not null check (kind in ('authorization', 'capture', 'refund', 'void')),
  -- The authorization that is captured or voided; the capture that is refunded.
  about uuid references payments (id),
  amount bigint not null check (amount > 0),
  final boolean not null,
  note text,
  state text not null check (state in ('pending', 'done', 'refused')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  expires_at timestamptz check ((kind = 'authorization') = (expires_at is not null)),
  check (kind in ('authorization', 'capture') or about is not null)
);
create index payments_of_order on payments (order_id);
-- One movement after the other.
create unique index payments_one_at_a_time on payments (order_id) where state = 'pending';
create index payments_pending on payments (updated_at) where state = 'pending';
-- An authorization is voided once.
create unique index voids_once on payments (about) where kind = 'void' and state <> 'refused';

-- One effect for each request of a merchant.
create table requests (
  merchant_id text not null,
  operation text not null,
  request_id text not null,
  -- SHA-256 of what was asked.
  fingerprint bytea not null check (length(fingerprint) = 32),
  order_id uuid not null references orders (id) deferrable initially deferred,
  -- Of a request that moves money.
  payment_id uuid unique references payments (id),
  created_at timestamptz not null,
  primary key (merchant_id, operation, request_id),
  check ((operation = 'create') = (payment_id is null))
);
create index requests_by_id on requests (merchant_id, request_id);
create index requests_of_order on requests (order_id);

create table orders (
  id uuid primary key,
  customer_id uuid not null,
  status text not null check (status in ('pending', 'confirmed', 'cancelled')),
  total_amount bigint not null check (total_amount >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  placed_at timestamptz not null,
  expires_at timestamptz not null,
  cancelled_at timestamptz,
  cancel_reason text check (cancel_reason in ('customer', 'expired')),
  -- Inventory has not said yet that the stock of this cancelled order is free.
  release_due boolean not null default false,
  check ((status = 'cancelled') = (cancelled_at is not null)),
  check ((cancelled_at is null) = (cancel_reason is null)),
  check (not release_due or status = 'cancelled')
);
create index orders_of_customer on orders (customer_id, id desc);
create index orders_that_expire on orders (expires_at) where status = 'pending';
create index orders_to_release on orders (id) where release_due;

create table order_lines (
  order_id uuid not null references orders (id),
  position integer not null,
  sku text not null,
  name text not null,
  quantity integer not null check (quantity between 1 and 99),
  price_amount bigint not null check (price_amount >= 0),
  primary key (order_id, position),
  unique (order_id, sku)
);

-- A request to place an order, written down before anything else happens. What a crash leaves behind is found here.
create table placements (
  customer_id uuid not null,
  -- SHA-256 of the caller's Idempotency-Key.
  key_hash bytea not null check (length(key_hash) = 32),
  order_id uuid not null unique,
  state text not null check (state in ('running', 'ordered', 'done', 'refused')),
  -- What a refused one was told; the same key is told the same again.
  refusal jsonb,
  -- The version of the cart that was ordered.
  cart_version integer,
  -- Whoever works on it; a later worker has a higher number, and an earlier one can write nothing more.
  fence integer not null,
  lease_until timestamptz not null,
  created_at timestamptz not null,
  primary key (customer_id, key_hash),
  check ((state = 'refused') = (refusal is not null)),
  check ((state in ('ordered', 'done')) = (cart_version is not null))
);
-- One at a time for each customer, so that no cart is ordered twice.
create unique index placements_one_at_a_time on placements (customer_id) where state in ('running', 'ordered');
create index placements_by_age on placements (created_at);

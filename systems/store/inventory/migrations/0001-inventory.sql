create table stock (
  sku text primary key,
  on_hand integer not null,
  reserved integer not null default 0,
  initial integer not null check (initial >= 0),
  constraint reserved_is_not_negative check (reserved >= 0),
  constraint never_oversold check (on_hand >= reserved)
);

create table reservations (
  order_id uuid primary key,
  state text not null check (state in ('held', 'committed', 'released')),
  expires_at timestamptz not null,
  created_at timestamptz not null
);
create index reservations_that_expire on reservations (expires_at) where state = 'held';

create table reservation_lines (
  order_id uuid not null references reservations (order_id),
  sku text not null references stock (sku),
  quantity integer not null check (quantity > 0),
  primary key (order_id, sku)
);

-- Every change of on_hand, and why. Its sum and `initial` make `on_hand`.
create table movements (
  sku text not null references stock (sku),
  kind text not null check (kind in ('delivery', 'sale', 'return')),
  -- Number of the delivery note, or the order.
  reference text not null,
  quantity integer not null check (quantity > 0),
  at timestamptz not null,
  primary key (sku, kind, reference)
);

create table seed_progress (
  only_row boolean primary key default true check (only_row),
  loaded integer not null check (loaded >= 0)
);
insert into seed_progress (loaded) values (0);

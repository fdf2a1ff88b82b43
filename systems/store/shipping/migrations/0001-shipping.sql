create table shipments (
  order_id uuid primary key,
  id uuid not null unique,
  -- Not known of a parcel that was recalled before it was ready.
  customer_id uuid,
  state text not null check (state in ('ready', 'dispatched', 'delivered', 'recalled')),
  created_at timestamptz not null,
  check (customer_id is not null or state = 'recalled')
);

create table shipment_lines (
  order_id uuid not null references shipments (order_id),
  sku text not null,
  quantity integer not null check (quantity > 0),
  primary key (order_id, sku)
);

create table scans (
  order_id uuid not null references shipments (order_id),
  -- The carrier's number of it.
  scan text not null,
  kind text not null check (kind in ('picked_up', 'in_transit', 'delivered')),
  at timestamptz not null,
  primary key (order_id, scan)
);

-- In how many orders a product is.
create table sold (
  sku text primary key,
  orders integer not null check (orders > 0)
);
create index sold_by_orders on sold (orders desc, sku);

-- In how many orders two products are together; each pair stands here both ways.
create table sold_together (
  sku text not null,
  other text not null check (other <> sku),
  orders integer not null check (orders > 0),
  primary key (sku, other)
);
create index sold_together_by_orders on sold_together (sku, orders desc, other);

create table ordered (
  customer_id uuid not null,
  sku text not null,
  last_at timestamptz not null,
  primary key (customer_id, sku)
);
create index ordered_last on ordered (customer_id, last_at desc);

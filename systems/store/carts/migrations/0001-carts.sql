create table carts (
  user_id uuid primary key,
  -- Rises with every change and never starts again, also when the cart is empty.
  version integer not null check (version > 0)
);

create table cart_lines (
  user_id uuid not null references carts (user_id),
  sku text not null,
  quantity integer not null check (quantity between 1 and 99),
  -- The version of the cart that changed this line last.
  changed_in integer not null,
  -- Lines are shown in the order in which they came.
  added_in integer not null,
  primary key (user_id, sku)
);

create table categories (
  id text primary key,
  name text not null,
  parent text references categories (id),
  position integer not null
);

create table products (
  id uuid primary key,
  sku text not null unique,
  name text not null,
  description text not null,
  category text not null references categories (id),
  search tsvector not null generated always as (
    setweight(to_tsvector('english', name), 'A')
    || setweight(to_tsvector('english', replace(category, '-', ' ')), 'B')
    || setweight(to_tsvector('english', description), 'C')
  ) stored
);

-- Every price that a product ever had; the highest version is the price of now. A row is never changed.
create table prices (
  product_id uuid not null references products (id),
  version integer not null check (version > 0),
  amount bigint not null check (amount > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  valid_from timestamptz not null,
  changed_by text not null,
  primary key (product_id, version)
);

create index products_by_category on products (category, id);
create index products_by_words on products using gin (search);

-- How much of the seed has been loaded: one row, moved on together with the products.
create table seed_progress (
  only_row boolean primary key default true check (only_row),
  loaded integer not null check (loaded >= 0)
);
insert into seed_progress (loaded) values (0);

-- An account that has never paid for a plan is not here.
create table subscriptions (
  account_id uuid primary key,
  plan text not null check (plan in ('free', 'premium')),
  since timestamptz not null,
  -- The keys may still be on the plan before.
  keys_due boolean not null
);
create index subscriptions_with_keys_due on subscriptions (account_id) where keys_due;

-- When which paid plan held; open at the end while it holds.
create table periods (
  account_id uuid not null references subscriptions (account_id),
  plan text not null check (plan <> 'free'),
  starts_at timestamptz not null,
  ends_at timestamptz check (ends_at >= starts_at),
  primary key (account_id, starts_at)
);
create unique index periods_one_open on periods (account_id) where ends_at is null;
create index periods_by_end on periods (ends_at);

create table invoices (
  id uuid primary key,
  account_id uuid not null references subscriptions (account_id),
  month text not null check (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  total_amount bigint not null check (total_amount >= 0),
  currency text not null,
  requests bigint not null,
  units bigint not null,
  closed_at timestamptz not null,
  -- A month is closed once.
  unique (account_id, month)
);

create table invoice_lines (
  invoice_id uuid not null references invoices (id) on delete cascade,
  plan text not null,
  days integer not null check (days between 1 and 31),
  price_amount bigint not null check (price_amount >= 0),
  primary key (invoice_id, plan)
);

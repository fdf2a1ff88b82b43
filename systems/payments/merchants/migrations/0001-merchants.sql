create table merchants (
  merchant_id text primary key,
  business_name text not null,
  -- In lower case.
  email text not null unique,
  country_code text not null,
  status text not null check (status in ('pending', 'active', 'suspended')),
  created_at timestamptz not null
);

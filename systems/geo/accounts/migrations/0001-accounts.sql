create table accounts (
  id uuid primary key,
  -- In lower case: two spellings of one address are one account.
  email text not null unique check (email = lower(email)),
  password_hash text not null,
  created_at timestamptz not null
);

create table applications (
  id uuid primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  name text not null,
  -- Of the gateway's key; null until one was made. The secret is kept nowhere.
  key_id text unique,
  key_prefix text,
  created_at timestamptz not null,
  check ((key_id is null) = (key_prefix is null))
);
create index applications_of_account on applications (account_id, created_at);

create table sessions (
  -- SHA-256 of the token. The token itself is kept nowhere.
  token_hash bytea primary key check (length(token_hash) = 32),
  account_id uuid not null references accounts (id) on delete cascade,
  expires_at timestamptz not null
);
create index sessions_by_expiry on sessions (expires_at);

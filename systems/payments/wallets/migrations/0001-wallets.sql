create table payers (
  id uuid primary key,
  -- In small letters.
  email text not null unique,
  password_hash text not null,
  name text not null,
  created_at timestamptz not null
);

create table sessions (
  token_hash bytea primary key check (length(token_hash) = 32),
  payer_id uuid not null references payers (id),
  expires_at timestamptz not null
);
create index sessions_by_end on sessions (expires_at);

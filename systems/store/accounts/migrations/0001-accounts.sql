create table users (
  id uuid primary key,
  -- In lower case: two spellings of one address are one account.
  email text not null unique check (email = lower(email)),
  name text not null,
  password_hash text not null,
  scopes text[] not null,
  created_at timestamptz not null
);

create table sessions (
  -- SHA-256 of the token. The token itself is kept nowhere.
  token_hash bytea primary key check (length(token_hash) = 32),
  user_id uuid not null references users (id) on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > created_at)
);
create index sessions_by_user on sessions (user_id, created_at);
create index sessions_by_expiry on sessions (expires_at);

create table login_attempts (
  -- SHA-256 of the e-mail address: also for addresses that have no account, and none is kept.
  bucket bytea primary key check (length(bucket) = 32),
  attempts integer not null check (attempts > 0),
  window_started_at timestamptz not null
);
create index login_attempts_by_age on login_attempts (window_started_at);

create table clients (
  client_id text primary key,
  merchant_id text not null,
  name text not null,
  scopes text[] not null,
  token_seconds integer not null check (token_seconds > 0),
  -- SHA-256 of secrets that come out of a generator: nothing is gained by a slow hash.
  secret_hash bytea not null,
  previous_secret_hash bytea,
  previous_until timestamptz,
  created_at timestamptz not null
);
create index clients_by_merchant on clients (merchant_id, created_at);

-- What the merchants service has told: a merchant that is not here, or not active, gets no tokens.
create table merchants (
  merchant_id text primary key,
  active boolean not null
);

create table tokens (
  token_hash bytea primary key,
  client_id text not null references clients on delete cascade,
  scopes text[] not null,
  expires_at timestamptz not null
);
create index tokens_by_expiry on tokens (expires_at);
create index tokens_by_client on tokens (client_id);

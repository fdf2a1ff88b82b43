create table plans (
  name text primary key,
  title text,
  routes jsonb not null,
  quotas jsonb not null,
  limits jsonb not null,
  declared boolean not null
);

create table api_keys (
  -- Sorts by the time it was made.
  id text primary key,
  name text not null,
  owner text not null,
  environment text not null,
  -- Of the newest secret.
  prefix text not null,
  plan text,
  scopes jsonb not null,
  enabled boolean not null default true,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create index api_keys_of_owner on api_keys (owner, id desc);
create index api_keys_on_plan on api_keys (plan) where revoked_at is null;

-- SHA-256 of each secret; the secret itself is nowhere. Two of a key are valid while it is rotated.
create table api_key_secrets (
  hash bytea primary key check (length(hash) = 32),
  key_id text not null references api_keys (id),
  created_at timestamptz not null,
  -- When it is being rotated out: the end of its grace.
  expires_at timestamptz
);
create index api_key_secrets_of_key on api_key_secrets (key_id);

-- Numbers are given out under the lock of this row, so that they become visible in their order.
create table change_counter (
  only_row boolean primary key check (only_row),
  sequence bigint not null
);
insert into change_counter values (true, 1);

-- What gateways must forget. A row without a key: a plan has changed.
create table changes (
  sequence bigint primary key,
  key_id text,
  at timestamptz not null
);
create index changes_by_age on changes (at);

create table quotas (
  subject text not null,
  period text not null,
  spent bigint not null check (spent >= 0),
  -- Of the last lease.
  granted bigint not null check (granted >= 0),
  changed_at timestamptz not null,
  primary key (subject, period)
) with (fillfactor = 70);

-- The last batch of usage of each gateway process: it counts once, however often it is sent.
create table usage_instances (
  instance text primary key,
  sequence bigint not null,
  changed_at timestamptz not null
);

-- Minutes become hours, hours become days, days go.
create table usage (
  width text not null check (width in ('minute', 'hour', 'day')),
  at timestamptz not null,
  key_id text not null,
  route text not null,
  status_class text not null,
  requests bigint not null,
  units bigint not null,
  primary key (width, at, key_id, route, status_class)
);
create index usage_of_key on usage (key_id, at);

-- Counters that all gateways share. Lost in a crash, which forgives a few seconds.
create unlogged table rates (
  key text primary key,
  -- When the counter has no debt left, milliseconds since 1970 by the clock of this database.
  tat_ms double precision not null,
  -- Of the last step.
  now_ms double precision not null,
  allowed boolean not null
) with (fillfactor = 50);

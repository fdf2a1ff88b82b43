create table webhooks (
  id uuid primary key,
  merchant_id text not null,
  url text not null,
  event_types text[] not null,
  created_at timestamptz not null,
  unique (merchant_id, url)
);

create table events (
  id uuid primary key,
  merchant_id text not null,
  event_type text not null,
  body text not null,
  created_at timestamptz not null
);
create index events_by_merchant on events (merchant_id, id);
create index events_by_age on events (created_at);

-- One event on its way to one webhook. It stays when the webhook is removed: merchants look up what was sent.
create table deliveries (
  id uuid primary key,
  event_id uuid not null references events on delete cascade,
  webhook_id uuid not null,
  url text not null,
  state text not null default 'pending' check (state in ('pending', 'sent', 'failed')),
  tries integer not null default 0,
  -- While it is being sent: when somebody else may try.
  next_at timestamptz not null,
  -- Whoever claims it raises this; only the last one says how it went.
  fence integer not null default 0,
  http_status integer,
  reason text,
  tried_at timestamptz,
  created_at timestamptz not null,
  -- Tests with switches look at each one once, before it is sent.
  disturbed boolean not null default false
);
create index deliveries_due on deliveries (webhook_id, next_at) where state = 'pending';
create index deliveries_by_event on deliveries (event_id);

create table signing_keys (
  kid text primary key,
  public_x text not null,
  private_pkcs8 bytea not null,
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index one_key_signs on signing_keys ((true)) where retired_at is null;

-- Events that are to be handled: subscriptions, the inbox, and where each key stands.

create table trestle.subscriptions (
  id integer generated always as identity primary key,
  name text not null unique,
  stream text not null,
  -- Raised by a replay: what was handled under an earlier one says nothing of this one.
  generation integer not null default 1,
  -- Of generations before these nothing is left in the tables below.
  events_swept integer not null default 1,
  keys_swept integer not null default 1,
  -- Where a generation begins that has no position yet: 'earliest', 'latest', 'time'.
  begins text not null,
  begins_ms bigint,
  -- Everything up to here is in the inbox.
  epoch bigint,
  xid bigint,
  seq bigint,
  -- When the newest event was taken that is in the inbox, and when it had happened.
  accepted_at timestamptz,
  occurred_ms bigint,
  caught_up_at timestamptz,
  -- Who pulls. Every write of a puller must carry the fence.
  lease_holder text,
  lease_until timestamptz,
  fence bigint not null default 0,
  created_at timestamptz not null default now()
) with (fillfactor = 50);

-- One row per event: what waits, and the memory of what has been handled.
create table trestle.inbox (
  subscription integer not null,
  generation integer not null,
  event_id uuid not null,
  -- 0 waits, 1 handled, 2 skipped.
  state smallint not null,
  key text not null,
  key_version bigint not null,
  -- In which epoch of its publisher it was published: one that was put back counts versions again that wait here already.
  epoch bigint,
  -- The payload is null when only the place counts, and forgotten when the event has been handled.
  type text,
  version integer,
  occurred_ms bigint,
  payload text,
  traceparent text,
  -- Why it was skipped.
  reason text,
  -- When it was handled or skipped: it is remembered from then on, however old it was.
  handled_at timestamptz,
  -- The id first: a key that begins like that of the index below would be taken for it while there are no statistics,
  -- and then everything that was ever handled is read to find what waits.
  primary key (event_id, subscription, generation)
);
create index inbox_waiting on trestle.inbox (subscription, generation, key, epoch, key_version) where state = 0;

-- Where each key stands. One event of a key is handled at a time, in the order of versions.
create table trestle.inbox_keys (
  subscription integer not null,
  generation integer not null,
  key text not null,
  -- The last version that has been handled.
  version bigint not null,
  -- The first version that was taken at all.
  since bigint not null,
  -- The version that waits and is next: the lowest of the oldest epoch; null: none.
  head bigint,
  head_epoch bigint,
  -- When the head may be tried; null: none waits, one before it is missing, or the key is parked.
  next_at timestamptz,
  tries integer not null default 0,
  -- Raised by each claim of work outside of a transaction.
  fence bigint not null default 0,
  parked_at timestamptz,
  reason text,
  -- When its version was last written.
  moved_at timestamptz not null default now(),
  -- The key first, for the same reason: what is due is found by its own index alone.
  primary key (key, subscription, generation)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
create index inbox_keys_due on trestle.inbox_keys (subscription, generation, next_at) where next_at is not null;
-- Parked, or behind a missing one.
create index inbox_keys_blocked on trestle.inbox_keys (subscription, generation, key) where next_at is null and head is not null;

-- What people did about events, kept for the record.
create table trestle.inbox_decisions (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  subscription text not null,
  decision text not null,
  key text,
  event_id uuid,
  reason text not null
);

-- The processes that handle events. One that went without a word may have been killed by what it handled.
create table trestle.inbox_processes (
  process text primary key,
  -- Subscription -> the types of events that it wants: replicas of two versions may want others.
  wishes jsonb not null,
  seen_at timestamptz not null default now()
);

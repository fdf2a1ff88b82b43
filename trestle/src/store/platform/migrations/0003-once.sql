-- Work that must have its effect once: requests with an idempotency key.

-- One row per caller, operation and key, all three as one hash. Times are milliseconds since 1970.
create table trestle.once (
  scope uuid primary key,
  -- Hash of the input: one key stands for one input.
  fingerprint uuid not null,
  -- Of whoever works on it: another token there, and its transaction cannot commit.
  token uuid not null,
  lease_until_ms bigint not null,
  begun_at_ms bigint not null,
  keep_until_ms bigint not null,
  -- Null while it is worked on.
  status smallint,
  content_type text,
  reply bytea
) with (fillfactor = 60);
create index once_keep_until on trestle.once (keep_until_ms);

-- Work that was undone: calls which it made, should they still arrive, must do nothing.
create table trestle.once_cancelled (
  parent uuid primary key,
  keep_until_ms bigint not null
);
create index once_cancelled_keep_until on trestle.once_cancelled (keep_until_ms);

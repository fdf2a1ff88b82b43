-- Jobs: when each is due, and who runs it.
create table trestle.jobs (
  name text primary key,
  -- As it was written where it was last seen; another one begins anew.
  schedule text not null,
  -- The tick that is to be run next; null when there is none any more.
  due_at timestamptz,
  -- A tick that failed is not tried again before this time.
  retry_at timestamptz,
  -- Tries of this tick so far.
  tries integer not null default 0,
  -- Whoever runs it must name this number to write anything; it rises with every claim.
  fence bigint not null default 0,
  lease_until timestamptz,
  runner text,
  started_at timestamptz,
  finished_at timestamptz,
  runs bigint not null default 0,
  failures bigint not null default 0,
  last_failure text,
  seen_at timestamptz not null
);

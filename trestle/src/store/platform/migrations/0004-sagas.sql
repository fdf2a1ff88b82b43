-- Sagas: instances, their journal, and who works on them.

-- The engines at work. Each raises its beat while it lives; one whose beat stands still is dead, and others take what it had.
create table trestle.saga_owners (
  id uuid primary key,
  beat bigint not null default 0
);

create table trestle.sagas (
  id uuid primary key,
  name text not null,
  -- What an event of the outside finds it by: the key of the event that started it.
  key text not null,
  -- The definition under which it began, and under which it ends.
  version integer not null,
  -- expected: something came for it before it began. running: an engine works on it, or should. waiting: for an event.
  state text not null check (state in ('expected', 'running', 'waiting', 'stuck', 'done', 'undone')),
  undoing boolean not null default false,
  past_pivot boolean not null default false,
  -- Where it stands: the step that is being done, waited for or undone; null: at its end.
  step text,
  began_at timestamptz,
  -- When somebody must look at it; null: when something happens, or an engine works on it.
  due_at timestamptz,
  -- Tries of this step of which nobody knows what became of them.
  tries integer not null default 0,
  -- How long it had taken when it was last let go, by a clock that does not jump.
  spent_ms integer not null default 0,
  -- How often this step began anew under other keys, after a failure that was certain.
  round integer not null default 0,
  last_error text,
  event text,
  -- Events that its steps wait for, by `contract@major/event`; the first of each counts.
  arrivals jsonb not null default '{}',
  failure text,
  -- Number of the last line of its journal; every write must match it, and the fence.
  revision integer not null default 0,
  owner uuid,
  fence bigint not null default 0,
  traceparent text,
  started_at timestamptz not null,
  ended_at timestamptz,
  unique (name, key)
) with (fillfactor = 70);

create index sagas_due on trestle.sagas (due_at) where due_at is not null;
create index sagas_owned on trestle.sagas (owner) where owner is not null;
create index sagas_ended on trestle.sagas (ended_at) where ended_at is not null;
create index sagas_unfinished on trestle.sagas (started_at) where ended_at is null;

create table trestle.saga_steps (
  saga uuid not null,
  n integer not null,
  step text,
  -- run, undo, wait, write, end, cancel, stuck, retry, resolve, migrate
  action text not null,
  -- done, failed, timed_out, skipped
  outcome text not null,
  result text,
  error text,
  tries integer not null default 0,
  began_at timestamptz,
  at timestamptz not null,
  primary key (saga, n)
);

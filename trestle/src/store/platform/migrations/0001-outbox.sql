-- Events that a transaction publishes: the outbox, and where each key stands.

-- Which cluster, timeline and database this is: positions in the feed are transaction ids, and say nothing elsewhere.
create function trestle.cluster_identity() returns text language plpgsql stable as $$
declare
  system text;
  timeline text;
begin
  begin
    select system_identifier::text into system from pg_control_system();
  exception when others then
    system := '?';
  end;
  begin
    timeline := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
  exception when others then
    timeline := '?';
  end;
  return system || '/' || timeline || '/' || (select oid from pg_database where datname = current_database());
end
$$;

-- `epoch` rises when the identity changes. It is of the order of seconds since 1970, so that a database that is made
-- anew, or restored twice from one dump, comes after what was there before.
create table trestle.feed (
  only_row boolean primary key default true check (only_row),
  epoch bigint not null,
  identity text not null
);
insert into trestle.feed (epoch, identity)
values (extract(epoch from clock_timestamp())::bigint, trestle.cluster_identity());

-- Where each key stands. `feed_xid` only grows within an epoch.
create table trestle.outbox_keys (
  stream text collate "C" not null,
  key text collate "C" not null,
  version bigint not null,
  epoch bigint not null,
  feed_xid xid8 not null,
  primary key (stream, key)
) with (fillfactor = 80);

create sequence trestle.outbox_seq as bigint cache 1;

-- Append-only: rows are never updated; whole partitions are dropped.
create table trestle.outbox (
  epoch bigint not null,
  feed_xid xid8 not null,
  seq bigint not null,
  published_at timestamptz not null default statement_timestamp(),
  occurred_at bigint not null,
  key_version bigint not null,
  id uuid not null,
  version integer not null,
  stream text collate "C" not null,
  type text collate "C" not null,
  key text collate "C" not null,
  traceparent text not null,
  payload text not null
) partition by range (published_at);
create index outbox_in_order on trestle.outbox (stream, epoch, feed_xid, seq);

-- For the time in which no partition was made ahead.
create table trestle.outbox_rest partition of trestle.outbox default;

-- Makes the partition of a day (UTC), with what came for it while there was none. Returns whether it was missing.
create function trestle.make_outbox_partition(day date) returns boolean language plpgsql as $$
declare
  name text := 'outbox_' || to_char(day, 'YYYYMMDD');
  since timestamptz := day::timestamp at time zone 'UTC';
  until timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
  if to_regclass('trestle.' || name) is not null then
    return false;
  end if;
  -- Replicas that start at once wait for each other here.
  perform 1 from trestle.feed for update;
  -- Looked up as a row: what a session remembers of names is not renewed by waiting for a row.
  if exists (select from pg_class where relname = name and relnamespace = 'trestle'::regnamespace) then
    return false;
  end if;
  execute format('create table trestle.%I (like trestle.outbox including defaults including indexes)', name);
  lock table trestle.outbox_rest in access exclusive mode;
  execute format(
    'with moved as (delete from trestle.outbox_rest where published_at >= $1 and published_at < $2 returning *)
     insert into trestle.%I select * from moved', name) using since, until;
  execute format('alter table trestle.outbox attach partition trestle.%I for values from (%L) to (%L)', name, since, until);
  return true;
end
$$;

-- Who reads, and how far: what a reader has not read yet is kept.
create table trestle.outbox_readers (
  stream text collate "C" not null,
  reader text collate "C" not null,
  epoch bigint not null,
  xid xid8 not null,
  seq bigint not null,
  seen_at timestamptz not null default clock_timestamp(),
  primary key (stream, reader)
);

-- Up to where events are no longer kept.
create table trestle.outbox_dropped (
  stream text collate "C" primary key,
  epoch bigint not null,
  xid xid8 not null,
  seq bigint not null
);

-- What follows a position, in the order of the feed, up to where it is certain: every transaction with a smaller id has ended,
-- so nothing can come before it any more. Header-only where the type was not asked for. There is always a row, which says how
-- far the feed is certain, whether there is more that is committed and held back by another transaction, whether what
-- follows the position has been dropped, and whether the position is of a future that this database has not had: then it was
-- put back by a copy of its disk.
--
-- Only the index may give the order. A planner that takes what follows for a few rows, because all epochs are alike, would
-- read and sort for each batch all that a reader is behind, and one that is far behind would never catch up. What is held
-- back is asked of the last event, once: asked for any event behind the point, it would look for one in the whole table.
--
-- After `bytes_max` bytes of payloads no further event is taken, however many were asked for: `found` says how many there were
-- of them. A thousand large ones at once would fill the memory of who reads, and again after each restart.
create function trestle.read_feed(
  of_stream text, after_epoch bigint, after_xid xid8, after_seq bigint, of_types text[], events_max integer,
  bytes_max bigint
) returns table (
  f_epoch bigint, f_xid xid8, f_held boolean, f_dropped boolean, f_ahead boolean,
  epoch bigint, feed_xid xid8, seq bigint, id uuid, type text, version integer, key text, key_version bigint,
  occurred_at bigint, traceparent text, payload text, found bigint
) language plpgsql stable set enable_sort = off as $$
#variable_conflict use_column
begin
  return query
  with f as materialized (
    select c.epoch, c.xid,
      coalesce((
        select (h.epoch, h.feed_xid) >= (c.epoch, c.xid) from trestle.outbox h where h.stream = of_stream
        order by h.epoch desc, h.feed_xid desc, h.seq desc limit 1
      ), false),
      exists (
        select from trestle.outbox_dropped d
        where d.stream = of_stream and (d.epoch, d.xid, d.seq) > (after_epoch, after_xid, after_seq)
      ),
      after_epoch = c.epoch and after_xid > pg_snapshot_xmax(pg_current_snapshot())
    from (select f.epoch, pg_snapshot_xmin(pg_current_snapshot()) as xid from trestle.feed f) c
  )
  select f.*, o.epoch, o.feed_xid, o.seq, o.id, o.type, o.version, o.key, o.key_version, o.occurred_at, o.traceparent,
    o.payload, o.found
  from f left join lateral (
    select e.*, count(*) over () as found,
      sum(octet_length(e.payload)) over (
        order by e.epoch, e.feed_xid, e.seq rows between unbounded preceding and 1 preceding) as bytes_before
    from (
      select o.epoch, o.feed_xid, o.seq, o.id, o.type, o.version, o.key, o.key_version, o.occurred_at, o.traceparent,
        case when of_types is null or o.type = any (of_types) then o.payload end as payload
      from trestle.outbox o
      where o.stream = of_stream
        and (o.epoch, o.feed_xid, o.seq) > (after_epoch, after_xid, after_seq)
        and (o.epoch, o.feed_xid) < (f.epoch, f.xid)
      order by o.epoch, o.feed_xid, o.seq
      limit events_max) e
  ) o on coalesce(o.bytes_before, 0) < bytes_max;
end
$$;

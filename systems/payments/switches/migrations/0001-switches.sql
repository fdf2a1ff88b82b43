create table switches (
  only_row boolean primary key default true check (only_row),
  decline_authorizations integer not null default 0,
  decline_captures integer not null default 0,
  declined_payers text[] not null default '{}',
  time_out_authorizations integer not null default 0,
  time_out_captures integer not null default 0,
  time_out_refunds integer not null default 0,
  webhooks_late_ms integer not null default 0,
  webhooks_repeated integer not null default 0,
  webhooks_reordered_ms integer not null default 0,
  -- How many were asked about since the switches were set: every other one is held up.
  deliveries integer not null default 0
);
insert into switches default values;

-- A payment that is asked about again gets the same answer.
create table answers (
  payment_id uuid not null,
  step text not null,
  declined boolean not null,
  primary key (payment_id, step)
);

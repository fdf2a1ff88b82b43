-- A reservation that does not expire is held for as long as a payment takes.
alter table reservations alter column expires_at drop not null;

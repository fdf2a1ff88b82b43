-- Who tries passwords: strangers, counted together for each e-mail address, whether or not somebody has it; and each network
-- address from which its payer has signed in, counted by itself.
create table guesses (
  -- Hash of the e-mail address, and of the network address where that is familiar.
  guesser bytea primary key check (length(guesser) = 32),
  -- Since the last right one.
  wrong integer not null check (wrong >= 0),
  last_at timestamptz not null,
  -- Of an address from which its payer has signed in.
  familiar_until timestamptz
);
create index strangers_by_time on guesses (last_at) where familiar_until is null;
create index familiar_by_end on guesses (familiar_until) where familiar_until is not null;

-- Where money is. `outside`: where it comes from and goes to; only there may be less than nothing.
create table accounts (
  id uuid primary key,
  kind text not null check (kind in ('outside', 'wallet', 'hold', 'merchant')),
  -- The payer, the authorization or the merchant.
  owner text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- Whose money is on hold.
  payer_id text check ((kind = 'hold') = (payer_id is not null)),
  unique (kind, owner, currency),
  unique (id, currency)
);

-- The holds in which there is something now: what a payer has is asked for often, and most holds are empty for good.
create table open_holds (
  payer_id text not null,
  account_id uuid not null,
  currency text not null,
  primary key (payer_id, account_id),
  foreign key (account_id, currency) references accounts (id, currency)
);

-- What was asked of the ledger, once for each reference, and what became of it.
create table transactions (
  reference text primary key check (reference ~ '^(top-up|hold|release|capture|refund):.+$'),
  -- A refund: the capture that it gives back.
  about text references transactions (reference),
  amount bigint not null check (amount > 0),
  currency text not null,
  -- Nothing was moved, and never will be under this reference.
  refused text check (refused = 'insufficient_funds'),
  payer_id text not null,
  merchant_id text,
  order_id uuid,
  invoice_id text,
  at timestamptz not null
);
create index transactions_of_order on transactions (order_id) where order_id is not null;
create index transactions_of_invoice on transactions (merchant_id, invoice_id) where invoice_id is not null;
create index refunds_of on transactions (about) where about is not null;

-- One debit and one credit for each transaction.
create table entries (
  account_id uuid not null,
  currency text not null,
  -- Counted for each account, without a gap.
  number integer not null check (number > 0),
  reference text not null references transactions (reference),
  -- Less than nothing: a debit. More: a credit.
  amount bigint not null check (amount <> 0),
  -- What is in the account with this entry.
  balance bigint not null,
  primary key (account_id, number),
  unique (reference, account_id),
  foreign key (account_id, currency) references accounts (id, currency)
);
create unique index one_debit on entries (reference) where amount < 0;
create unique index one_credit on entries (reference) where amount > 0;

-- Nothing is ever changed or taken away.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% of % refused: what is in the ledger stays', tg_op, tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger stays before update or delete or truncate on accounts for each statement execute function refuse_change();
create trigger stays before update or delete or truncate on transactions for each statement execute function refuse_change();
create trigger stays before update or delete or truncate on entries for each statement execute function refuse_change();
revoke update, delete on entries from current_user;

-- A transaction that is not refused moves its amount: its debit is its credit.
create function check_transaction() returns trigger language plpgsql as $$
declare
  moved record;
begin
  select t.amount, t.currency, t.refused, t.about,
    count(e.amount) as entries,
    coalesce(sum(e.amount), 0) as total,
    coalesce(max(e.amount), 0) as credit,
    coalesce(bool_and(e.currency = t.currency), true) as one_currency
  into moved
  from transactions t left join entries e on e.reference = t.reference
  where t.reference = new.reference
  group by t.reference;
  if moved.refused is not null and moved.entries = 0 then return null; end if;
  if moved.refused is not null or moved.entries <> 2 or moved.total <> 0 or moved.credit <> moved.amount
    or not moved.one_currency then
    raise exception 'transaction % is not balanced', new.reference using errcode = 'check_violation';
  end if;
  if moved.about is not null and (
    select sum(r.amount) from transactions r where r.about = moved.about and r.refused is null
  ) > (
    select c.amount from transactions c
    where c.reference = moved.about and c.reference like 'capture:%' and c.refused is null and c.currency = moved.currency
  ) is not false then
    raise exception 'more than % is given back', moved.about using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger balanced after insert on transactions deferrable initially deferred
  for each row execute function check_transaction();
create constraint trigger balanced after insert on entries deferrable initially deferred
  for each row execute function check_transaction();

-- Each entry goes on where the one before it ended, and no account but `outside` is ever overdrawn.
create function check_entry() returns trigger language plpgsql as $$
begin
  if new.balance - new.amount is distinct from coalesce(
    (select e.balance from entries e where e.account_id = new.account_id and e.number = new.number - 1),
    case when new.number = 1 then 0 end
  ) then
    raise exception 'entry % of account % does not go on from the one before', new.number, new.account_id
      using errcode = 'check_violation';
  end if;
  if new.balance < 0 and (select a.kind from accounts a where a.id = new.account_id) <> 'outside' then
    raise exception 'account % is overdrawn', new.account_id using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger goes_on after insert on entries deferrable initially deferred
  for each row execute function check_entry();

-- Placing an order is remembered by the platform from now on, and what follows it is a saga.
drop table placements;
drop index orders_that_expire;
drop index orders_to_release;

alter table orders
  drop constraint orders_status_check,
  drop constraint orders_cancel_reason_check,
  drop constraint orders_check,
  drop constraint orders_check1,
  drop constraint orders_check2,
  drop column release_due;
alter table orders rename column cancelled_at to closed_at;
alter table orders rename column cancel_reason to close_reason;

-- No saga follows the orders that wait for a payment of before; their stock is free when its reservation expires.
update orders set status = 'cancelled', closed_at = now(), close_reason = 'expired' where status = 'pending';

alter table orders
  add column approve_url text,
  add column shipment_id uuid,
  add column shipped_at timestamptz,
  add column cancel_requested_at timestamptz,
  add constraint orders_status check (status in ('pending', 'confirmed', 'rejected', 'cancelled')),
  add constraint orders_close_reason check (close_reason in ('customer', 'expired', 'declined', 'failed')),
  add constraint orders_closed check ((status in ('rejected', 'cancelled')) = (closed_at is not null)),
  add constraint orders_closed_why check ((closed_at is null) = (close_reason is null));

-- Up to which version each customer's cart has been ordered: nothing in a cart is ordered twice.
create table ordered_carts (
  customer_id uuid primary key,
  version integer not null check (version > 0)
);

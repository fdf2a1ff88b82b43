create table totals (way text, slot integer, events bigint not null, primary key (way, slot)) with (fillfactor = 50);

create table nothing (only_row boolean primary key);

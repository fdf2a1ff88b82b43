create table greetings (
  id uuid primary key,
  name text not null,
  text text not null
);

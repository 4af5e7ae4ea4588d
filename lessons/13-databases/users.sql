-- The table that fetch_users reads. For a server of your own:  psql "$DATABASE_URL" -f users.sql
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, age INTEGER);
INSERT INTO users VALUES (1, 'Ada', 'ada@example.org', 36),
                         (2, 'Grace', 'grace@example.org', 85),
                         (3, 'Linus', NULL, 21);

CREATE TABLE routes (
  origin TEXT NOT NULL,
  dest TEXT NOT NULL,
  departures INTEGER NOT NULL,
  delay_minutes INTEGER NOT NULL,
  PRIMARY KEY (origin, dest)
);

-- One row: the checkpoint of the last event that the routes include.
CREATE TABLE progress (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  checkpoint TEXT NOT NULL
);

INSERT INTO progress (id, checkpoint) VALUES (1, '');

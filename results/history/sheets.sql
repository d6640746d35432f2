-- What xsmbench itself reads: the values of series and boots, packed. A sheet has
-- all figures of one image of a run.
CREATE TABLE sheets (
  run     TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
  place   INTEGER NOT NULL,   -- among the run's images, from 0
  image   TEXT NOT NULL,
  outline BLOB NOT NULL REFERENCES outlines,
  data    BLOB NOT NULL       -- see sheet.go
) STRICT;
CREATE UNIQUE INDEX sheets_run ON sheets (run, place);
CREATE INDEX sheets_outline ON sheets (outline);

-- Which figures sheets have, once for all that have the same.
CREATE TABLE outlines (
  digest  BLOB PRIMARY KEY,   -- SHA-256 of figures
  figures TEXT NOT NULL       -- JSON
) STRICT;

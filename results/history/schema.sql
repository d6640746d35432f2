-- A run: when and where it was, and what it asked for.
CREATE TABLE runs (
  id       TEXT PRIMARY KEY,  -- 16 hexadecimal digits
  label    TEXT NOT NULL,     -- '' if it has none
  started  TEXT NOT NULL,     -- UTC, as 2008-01-31T02:00:00Z; '' if unknown
  added    TEXT NOT NULL,     -- UTC
  tool     TEXT NOT NULL,     -- xsmbench's version
  host     TEXT NOT NULL,     -- key of the machine
  cpu      TEXT NOT NULL,
  kernel   TEXT NOT NULL,
  target   TEXT NOT NULL,
  accel    TEXT NOT NULL,     -- '' for the target's own
  workload TEXT NOT NULL,
  rounds   INTEGER NOT NULL,
  boots    INTEGER NOT NULL,  -- that ended
  content  TEXT NOT NULL,     -- SHA-256 of its files
  record   TEXT NOT NULL,     -- JSON: what "history list" knows; run.json is its member "run"
  digest   BLOB NOT NULL      -- SHA-256 of its sheets
) STRICT;

-- A file of the run directory, byte for byte.
CREATE TABLE files (
  run  TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
  name TEXT NOT NULL,
  text BLOB NOT NULL,         -- gzip
  PRIMARY KEY (run, name)
) STRICT;

-- A build of a run, once for each of its images (layouts).
CREATE TABLE builds (
  run        TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
  name       TEXT NOT NULL,
  kind       TEXT NOT NULL,
  arch       TEXT NOT NULL,
  rev        TEXT NOT NULL,
  control_of TEXT NOT NULL,   -- '' unless it repeats that build
  layout     INTEGER NOT NULL,
  image      TEXT NOT NULL,   -- SHA-256; '' if none was made
  dispatch   TEXT NOT NULL,
  toolchain  TEXT NOT NULL,
  size       INTEGER NOT NULL -- of the image, bytes
) STRICT;
CREATE INDEX builds_run ON builds (run);

-- A figure of a run: a benchmark in one unit and domain of one image.
CREATE TABLE series (
  id        INTEGER PRIMARY KEY,
  run       TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
  target    TEXT NOT NULL,
  arch      TEXT NOT NULL,
  accel     TEXT NOT NULL,
  workload  TEXT NOT NULL,
  domu      TEXT NOT NULL,    -- kind of the domUs, '' for the usual one
  idle      INTEGER NOT NULL, -- idle domUs beside the measured one
  domain    TEXT NOT NULL,
  build     TEXT NOT NULL,
  image     TEXT NOT NULL,
  benchmark TEXT NOT NULL,
  unit      TEXT NOT NULL,
  remarks   TEXT NOT NULL     -- JSON: an array of warnings, or null
) STRICT;
CREATE INDEX series_run ON series (run);
CREATE INDEX series_benchmark ON series (benchmark, domain);

-- A boot's value in a series.
CREATE TABLE boots (
  series INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
  place  INTEGER NOT NULL,    -- in the series, from 0
  boot   INTEGER NOT NULL,    -- counted over the run
  round  INTEGER NOT NULL,
  layout INTEGER NOT NULL,
  value  REAL NOT NULL,
  PRIMARY KEY (series, place)
) STRICT, WITHOUT ROWID;

-- Every value with all that is known of it.
CREATE VIEW samples AS
  SELECT r.id AS run, r.label, r.started, r.host,
         s.target, s.arch, s.accel, s.workload, s.domu, s.idle, s.domain,
         s.build, s.image, s.benchmark, s.unit,
         b.boot, b.round, b.layout, b.value
    FROM boots b JOIN series s ON s.id = b.series JOIN runs r ON r.id = s.run;

-- One row: SHA-256 of the rows of runs and builds, to know damage by.
CREATE TABLE seal (digest BLOB NOT NULL) STRICT;

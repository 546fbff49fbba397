-- One row for each deposit and each withdrawal. `version` is the version of the event in the stream of the account.
CREATE TABLE movements (
  account TEXT NOT NULL,
  version INTEGER NOT NULL,
  time TEXT NOT NULL,
  cents INTEGER NOT NULL,
  PRIMARY KEY (account, version)
) WITHOUT ROWID;

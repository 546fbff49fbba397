//! Hostile rows. Reads, verifications and appends return a result or an error for every content of a row, and nothing
//! panics.

use proptest::prelude::*;
use rusqlite::ToSql;
use sillok::ErrorCode;
use sillok::store::sqlite::{StreamTable, StreamsTable};
use sillok::store::{
    Append, CommitHash, Direction, EventId, EventStore, Exported, Followed, JsonText, NewEvent, ReadRange,
    RecordedTime, StorageFault, StreamId, StreamLog, Verifier, Version,
};

use crate::database::Database;

/// A value that a column of any type may hold.
#[derive(Debug, Clone)]
enum Column {
    Whole(i64),
    Text(String),
    Bytes(Vec<u8>),
    Null,
}

impl ToSql for Column {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Whole(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
            Self::Bytes(bytes) => bytes.to_sql(),
            Self::Null => Ok(rusqlite::types::Null.into()),
        }
    }
}

fn column() -> impl Strategy<Value = Column> {
    prop_oneof![
        any::<i64>().prop_map(Column::Whole),
        (0..5_i64).prop_map(Column::Whole),
        any::<String>().prop_map(Column::Text),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Column::Bytes),
        Just(Column::Bytes(vec![7; 32])),
        Just(Column::Text(r#"[{"id":"1","type":"A","data":null}]"#.to_owned())),
        Just(Column::Text(
            r#"[{"id":"1","type":"A","data":null},{"id":"2","type":"B","data":1}]"#.to_owned()
        )),
        Just(Column::Text(r#"{"version":1,"hidden":9,"deleted":false}"#.to_owned())),
        Just(Column::Null),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn any_row_of_a_stream_is_read_or_reported(rows in prop::collection::vec(prop::array::uniform5(column()), 0..4)) {
        let database = Database::in_memory();
        // This is the table of a store without its types, which would refuse most of these values.
        database.0.execute("CREATE TABLE commits_v1 (version PRIMARY KEY, time, hash, events, key)", []).unwrap();
        database.0.execute("CREATE INDEX commits_v1_by_key ON commits_v1 (key)", []).unwrap();
        insert(&database, "commits_v1", &rows);
        answers_or_reports(StreamTable::new(database))?;
    }

    #[test]
    fn any_row_of_many_streams_is_read_or_reported(
        commits in prop::collection::vec(prop::array::uniform5(column()), 0..4),
        base in prop::option::of(prop::array::uniform4(column())),
    ) {
        let database = Database::in_memory();
        let columns = "version, time, hash, events, key";
        let table = format!("CREATE TABLE log_v1 (position INTEGER PRIMARY KEY, stream DEFAULT 's', {columns})");
        database.0.execute(&table, []).unwrap();
        let view = format!("CREATE TEMP VIEW commits AS SELECT {columns} FROM log_v1");
        database.0.execute(&view, []).unwrap();
        let insert_into = format!(
            "CREATE TEMP TRIGGER fill INSTEAD OF INSERT ON commits BEGIN INSERT INTO log_v1 ({columns}) \
             VALUES (new.version, new.time, new.hash, new.events, new.key); END"
        );
        database.0.execute(&insert_into, []).unwrap();
        database.0.execute("CREATE TABLE bases_v1 (stream PRIMARY KEY, version, time, hash, base)", []).unwrap();
        insert(&database, "commits", &commits);
        if let Some(base) = &base {
            let statement = "INSERT INTO bases_v1 VALUES ('s', ?1, ?2, ?3, ?4)";
            database.0.execute(statement, rusqlite::params_from_iter(base)).unwrap();
        }
        answers_or_reports(StreamsTable::new(database))?;
    }

    #[test]
    fn only_a_hash_as_it_is_written_is_one(bytes: [u8; 32], text in "[0-9a-fA-F+]{62,66}|\\PC{0,70}") {
        let hash = CommitHash::from_bytes(&bytes).unwrap();
        prop_assert_eq!(CommitHash::from_hex(&hash.to_string()), Some(hash));
        if let Some(hash) = CommitHash::from_hex(&text) {
            prop_assert_eq!(hash.to_string(), text);
        }
    }
}

/// Inserts rows into a table of five columns. A row that exists already stays.
fn insert(database: &Database, table: &str, rows: &[[Column; 5]]) {
    let statement = format!("INSERT OR IGNORE INTO {table} VALUES (?1, ?2, ?3, ?4, ?5)");
    for row in rows {
        database.0.execute(&statement, rusqlite::params_from_iter(row)).unwrap();
    }
}

/// Every call for the stream `s` succeeds, or is refused for a reason in the stored rows.
fn answers_or_reports<L: StreamLog>(log: L) -> Result<(), TestCaseError> {
    let (mut store, stream) = (EventStore::new(log), StreamId::new("s").unwrap());
    for direction in [Direction::Forward, Direction::Backward] {
        let range = ReadRange::new(None, None, None, direction).unwrap();
        if let Err(error) = store.read(&stream, &range) {
            prop_assert!(
                [ErrorCode::StoredDataCorrupt, ErrorCode::StreamDeleted].contains(&error.code()),
                "{:?}",
                error
            );
        }
    }
    let verified = store.verify(&stream).unwrap();
    let mut verifier = Verifier::new(stream.clone());
    let exported = store.export(&stream, None, Version::MAX, &mut |part| match part {
        Exported::Base { version, hash } => {
            verifier = Verifier::after(stream.clone(), Followed { version, hash, ..Followed::default() });
        }
        Exported::Commit { commit, .. } => {
            verifier.add(&commit);
        }
    });
    match exported {
        // The export of an intact history proves as much as the history itself.
        Ok(_) if verified.broken.is_none() => prop_assert_eq!(verifier.found().broken, None),
        Ok(_) => {}
        Err(error) => prop_assert_eq!(error.code(), ErrorCode::StoredDataCorrupt, "{:?}", error),
    }
    let event = NewEvent::new("A", JsonText::null()).unwrap();
    let append = Append::to(stream.clone(), vec![event]);
    if let Err(error) = store.append(append, RecordedTime::default(), &mut EventId::default) {
        prop_assert!(
            [ErrorCode::StoredDataCorrupt, ErrorCode::StreamDeleted, ErrorCode::VersionExhausted]
                .contains(&error.code()),
            "{:?}",
            error
        );
    }
    if let Err(error) = store.truncate(&stream, Version::FIRST) {
        prop_assert!(
            [ErrorCode::StoredDataCorrupt, ErrorCode::StreamDeleted, ErrorCode::InvalidParameter]
                .contains(&error.code()),
            "{:?}",
            error
        );
    }
    if let Err(error) = store.delete(&stream) {
        prop_assert!(matches!(error.fault(), StorageFault::Corrupt { .. }), "{:?}", error);
    }
    Ok(())
}

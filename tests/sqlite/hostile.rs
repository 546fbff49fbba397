//! Whatever stands in a row, reading, verifying and appending answer with a result or with an error, and nothing panics.

use proptest::prelude::*;
use rusqlite::ToSql;
use sillok::store::sqlite::StreamTable;
use sillok::store::{
    Append, Direction, EventId, EventStore, JsonText, NewEvent, ReadRange, RecordedTime, StorageError,
    StreamId, Version,
};

use crate::database::Database;

/// What a column of any type may be made to hold.
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
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn any_row_is_read_or_reported(rows in prop::collection::vec(prop::array::uniform5(column()), 0..4)) {
        let database = Database::in_memory();
        // The table that a store makes, without the types that would keep most of this out.
        database.0.execute("CREATE TABLE commits_v1 (version PRIMARY KEY, time, hash, events, key)", []).unwrap();
        database.0.execute("CREATE INDEX commits_v1_by_key ON commits_v1 (key)", []).unwrap();
        for row in &rows {
            let insert = "INSERT OR IGNORE INTO commits_v1 VALUES (?1, ?2, ?3, ?4, ?5)";
            database.0.execute(insert, rusqlite::params_from_iter(row)).unwrap();
        }
        let (mut store, stream) = (EventStore::new(StreamTable::new(database)), StreamId::new("s").unwrap());
        for direction in [Direction::Forward, Direction::Backward] {
            let range = ReadRange::new(None, None, None, direction).unwrap();
            if let Err(error) = store.read(&stream, &range) {
                prop_assert!(matches!(error, StorageError::Corrupt { .. }), "{:?}", error);
            }
        }
        prop_assert!(store.verify(&stream).is_ok());
        let event = NewEvent::new("A", JsonText::null()).unwrap();
        // Refused or done: both are answers.
        let _ = store.append(Append::to(stream.clone(), vec![event]), RecordedTime::default(), &mut EventId::default);
        let _ = store.truncate(&stream, Version::FIRST);
        let _ = store.delete(&stream);
    }
}

//! The rows that a command reads and writes. They are its price in a Durable Object.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use sillok::store::StorageError;
use sillok::store::sqlite::{Row, Sql, StreamTable, Value};

use crate::database::Database;
use crate::world::{World, add, command, dry_run, key, stream, version};

/// A database that counts the rows that queries return.
#[derive(Clone)]
struct Counting(Database, Rc<Cell<u64>>);

impl Sql for Counting {
    fn execute(&self, statement: &'static str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.0.execute(statement, values)
    }

    fn query(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
        visit: &mut dyn FnMut(&dyn Row) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        self.0.query(statement, values, &mut |row| {
            self.1.set(self.1.get() + 1);
            visit(row)
        })
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), StorageError>) -> Result<(), StorageError> {
        self.0.transaction(work)
    }

    fn size(&self) -> u64 {
        self.0.size()
    }
}

struct Priced {
    world: World<StreamTable<Counting>>,
    sql: Counting,
}

impl Priced {
    fn new() -> Self {
        let sql = Counting(Database::in_memory(), Rc::default());
        let clone = sql.clone();
        let world = World::over(StreamTable::new(sql.clone()), move |_| StreamTable::new(clone.clone()));
        Self { world, sql }
    }

    /// The rows that some work reads and writes.
    fn rows(&mut self, work: impl FnOnce(&mut World<StreamTable<Counting>>)) -> (u64, u64) {
        let (read, written) = (self.sql.1.get(), self.sql.0.0.total_changes());
        work(&mut self.world);
        (self.sql.1.get() - read, self.sql.0.0.total_changes() - written)
    }
}

#[test]
fn a_warm_command_reads_no_row_and_writes_one() {
    let mut priced = Priced::new();
    // The first command makes the table, and the second finds it.
    priced.world.execute(&add(1)).unwrap();
    priced.world.execute(&add(1)).unwrap();
    let rows = priced.rows(|world| {
        for _ in 0..1000 {
            world.execute(&add(1)).unwrap();
        }
    });
    assert_eq!(rows, (0, 1000));
    assert_eq!(priced.rows(|world| world.execute(&command("Add", &[1; 500])).map(|_| ()).unwrap()), (0, 1));
}

#[test]
fn a_command_with_an_id_writes_one_row_more() {
    let mut priced = Priced::new();
    priced.world.execute(&add(9).with_id(key("first"))).unwrap();
    // The table is found once.
    priced.world.execute(&add(0).with_id(key("second"))).unwrap();
    let numbers: [&[u64]; 3] = [&[0], &[5], &[]];
    let price = [2, 1, 1];
    for (numbers, written) in numbers.into_iter().zip(price) {
        let command = command("AddTo10", numbers).with_id(key(&numbers.len().to_string()));
        let command = if numbers == [5] { command.with_id(key("refused")) } else { command };
        assert_eq!(priced.rows(|world| drop(world.execute(&command).unwrap())), (0, written), "{numbers:?}");
        let (read, written) = priced.rows(|world| assert!(world.execute(&command).unwrap().replayed));
        assert!(read <= 2 && written == 0, "a repeat of {numbers:?} reads {read} rows");
    }
}

#[test]
fn what_is_not_accepted_and_has_no_id_has_no_price() {
    let mut priced = Priced::new();
    priced.world.execute(&add(9)).unwrap();
    let rows = priced.rows(|world| {
        world.execute(&command("AddTo10", &[5])).unwrap();
        world.execute(&command("Add", &[])).unwrap();
        world.execute(&dry_run(add(1))).unwrap();
    });
    assert_eq!(rows, (0, 0));
}

#[test]
fn after_a_foreign_append_only_the_new_rows_are_read() {
    let mut priced = Priced::new();
    for _ in 0..50 {
        priced.world.execute(&add(1)).unwrap();
    }
    priced.world.append(&[1]);
    priced.world.append(&[1, 2]);
    assert_eq!(priced.rows(|world| drop(world.execute(&add(1)).unwrap())), (2, 1));
}

#[test]
fn a_snapshot_is_one_row_now_and_then() {
    let mut priced = Priced::new();
    priced.world.code.set(|settings| settings.snapshot_events = 100);
    priced.world.execute(&add(1)).unwrap();
    let (read, written) = priced.rows(|world| {
        for _ in 0..1000 {
            world.execute(&add(1)).unwrap();
        }
    });
    assert!(read <= 2 && written <= 1010, "{read} rows read, {written} written");
    let mut cold = priced;
    cold.world.restart();
    let (read, _) = cold.rows(|world| drop(world.execute(&add(1)).unwrap()));
    assert!(read <= 110, "{read} rows read");
    assert_eq!(cold.world.store.head(&stream()).unwrap().version, version(1002));
}

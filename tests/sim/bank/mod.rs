//! A bank: worlds with timers and processes. Transfers move money between accounts, and reminders ring.
//!
//! - An account accepts or refuses debits and credits. Some accounts are never opened.
//! - A transfer is a process. It debits one account, credits the other, and gives the money back after a refusal.
//! - A reminder sets, replaces and cancels timers.
//! - Tellers send commands, and the events that a consumer would deliver.

mod account;
pub mod checkers;
mod reminder;
mod rules;
mod sent;
mod teller;
mod timer_checkers;
mod transfer;

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use sillok::ErrorCode;
use sillok::handler::Behaviour;
use sillok::store::StreamId;

use crate::breaks::Break;
use crate::random::Random;
use account::Account;
use reminder::Reminder;
use rules::Ruled;
use transfer::Transfer;

pub use sent::SentCommands;
pub use teller::Teller;

/// The streams of a bank: accounts, then transfers, then reminders.
#[derive(Debug, Clone)]
pub struct Bank {
    pub accounts: usize,
    /// The accounts that somebody opens. They come first.
    pub opened: usize,
    pub transfers: usize,
    pub reminders: usize,
    /// A stream whose code always fails until the kind time. Its timers and the commands to it are parked.
    pub sick: Option<usize>,
}

impl Bank {
    pub fn drawn(random: &mut Random) -> Self {
        let opened = random.index(3) + 2;
        let accounts = opened + random.index(2);
        let (transfers, reminders) = (random.index(6) + 1, random.index(3));
        let sick = random.chance(300).then(|| random.index(accounts + transfers + reminders));
        Self { accounts, opened, transfers, reminders, sick }
    }

    pub fn streams(&self) -> Vec<StreamId> {
        let names = |word: &'static str, number: usize| (0..number).map(move |at| format!("{word}-{at}"));
        let names = names("account", self.accounts)
            .chain(names("transfer", self.transfers))
            .chain(names("reminder", self.reminders));
        names.map(|name| StreamId::new(&name).unwrap()).collect()
    }

    pub fn transfers(&self) -> Range<usize> {
        self.accounts..self.accounts + self.transfers
    }

    pub fn reminders(&self) -> Range<usize> {
        self.transfers().end..self.transfers().end + self.reminders
    }

    /// The code of a stream.
    pub fn code(&self, number: usize, around: &Rc<Around>, random: &mut Random) -> Box<dyn Behaviour> {
        if number < self.accounts {
            Box::new(Ruled::<Account>::new(number, around, random))
        } else if self.transfers().contains(&number) {
            Box::new(Ruled::<Transfer>::new(number - self.accounts, around, random))
        } else {
            Box::new(Ruled::<Reminder>::new(number, around, random))
        }
    }
}

/// The surroundings of the code. No real code may look at them.
#[derive(Debug, Default)]
pub struct Around {
    /// The clock of the object, in milliseconds since 1970.
    pub clock: Cell<u64>,
    /// The error with which every decision fails now.
    pub fails: Cell<Option<ErrorCode>>,
    pub broken: Option<Break>,
}

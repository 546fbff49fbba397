//! A transfer between two accounts: a process. It ends `completed`, `failed` or `refunded`. Nothing here depends on a platform.
//!
//! The debit comes first, and the credit after it. If the credit is refused, the money goes back. A transfer whose debit has no
//! answer in time lapses. A lapsed transfer has not ended: the debit may still take effect. It waits for the answer, and then
//! gives the money back.
//!
//! If the refund is refused too, because the account was deleted meanwhile, the transfer holds the money until somebody says
//! where it goes, by `Redirect`.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use sillok::handler::{
    Answer, CommandContext, Decider, Decision, Event, Failed, InvalidPending, NoSource, Process, Refusal,
    reject,
};
use sillok::store::StreamId;

use crate::account::AccountCommand;

/// A transfer whose debit has no answer after this time lapses, in milliseconds.
pub(crate) const LAPSE: u64 = 60_000;

/// The stream of an account, such as `account-42`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AccountStream(String);

impl TryFrom<String> for AccountStream {
    type Error = &'static str;

    fn try_from(stream: String) -> Result<Self, Self::Error> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        match stream.strip_prefix("account-") {
            Some(id) if (1..=100).contains(&id.len()) && id.bytes().all(is_plain) => Ok(Self(stream)),
            _ => Err("an account is `account-` and 1 to 100 letters, digits, `_` and `-`"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) from: AccountStream,
    pub(crate) to: AccountStream,
    pub(crate) cents: NonZeroU64,
}

impl Order {
    fn withdraw(&self) -> AccountCommand {
        AccountCommand::Withdraw { cents: self.cents }
    }

    fn deposit(&self) -> AccountCommand {
        AccountCommand::Deposit { cents: self.cents }
    }

    /// Gives the money back to an account: that of the sender, unless somebody has named another one.
    fn refund(
        &self,
        to: &AccountStream,
        event: TransferEvent,
    ) -> Result<Decision<TransferEvent>, InvalidPending> {
        Decision::from(event).send("refund", &to.0, &self.deposit())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub(crate) enum TransferCommand {
    Request(Order),
    Lapse,
    Redirect { to: AccountStream },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub(crate) enum TransferEvent {
    Requested(Order),
    Lapsed,
    Debited,
    Failed { reason: String },
    Completed,
    CreditRefused { reason: String },
    RefundRefused { reason: String },
    Redirected { to: AccountStream },
    Refunded,
}

impl Event for TransferEvent {}

#[derive(Serialize, Deserialize)]
#[serde(tag = "code", content = "data", rename_all = "snake_case")]
pub(crate) enum TransferRejection {
    AlreadyRequested,
    NotHeld,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    #[default]
    New,
    Requested,
    Lapsed,
    Debited,
    Refunding,
    Held,
    Completed,
    Failed,
    Refunded,
}

/// The state. Clients see it as it is.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) status: Status,
    pub(crate) order: Option<Order>,
    /// The reason why the money does not reach the receiver.
    pub(crate) reason: Option<String>,
}

pub(crate) struct Transfer;

impl Decider for Transfer {
    type State = State;
    type Command = TransferCommand;
    type Event = TransferEvent;
    type Rejection = TransferRejection;
    const CATEGORY: &str = "transfer";

    fn initial_state() -> State {
        State::default()
    }

    fn decide(
        command: TransferCommand,
        state: &State,
        context: &CommandContext<'_>,
    ) -> Result<Decision<TransferEvent>, Refusal<TransferRejection>> {
        match (command, &state.order) {
            (TransferCommand::Request(order), None) => {
                let (from, withdraw) = (order.from.0.clone(), order.withdraw());
                Ok(Decision::from(TransferEvent::Requested(order))
                    .send("debit", &from, &withdraw)?
                    .schedule("lapse", context.now.later(LAPSE), &TransferCommand::Lapse)?)
            }
            (TransferCommand::Request(order), Some(known)) if order == *known => Ok(Decision::nothing()),
            (TransferCommand::Request(_), Some(_)) => reject(TransferRejection::AlreadyRequested),
            (TransferCommand::Lapse, _) if state.status == Status::Requested => {
                Ok(TransferEvent::Lapsed.into())
            }
            (TransferCommand::Lapse, _) => Ok(Decision::nothing()),
            (TransferCommand::Redirect { to }, Some(order)) if state.status == Status::Held => {
                Ok(order.refund(&to, TransferEvent::Redirected { to: to.clone() })?)
            }
            (TransferCommand::Redirect { .. }, _) => reject(TransferRejection::NotHeld),
        }
    }

    fn evolve(state: State, event: TransferEvent) -> State {
        match event {
            TransferEvent::Requested(order) => {
                State { status: Status::Requested, order: Some(order), ..state }
            }
            TransferEvent::Lapsed => {
                State { status: Status::Lapsed, reason: Some("lapsed".to_owned()), ..state }
            }
            // A transfer that has lapsed gives the money back.
            TransferEvent::Debited if state.status == Status::Lapsed => {
                State { status: Status::Refunding, ..state }
            }
            TransferEvent::Debited => State { status: Status::Debited, ..state },
            TransferEvent::Failed { reason } => {
                State { status: Status::Failed, reason: Some(reason), ..state }
            }
            TransferEvent::Completed => State { status: Status::Completed, ..state },
            TransferEvent::CreditRefused { reason } => {
                State { status: Status::Refunding, reason: Some(reason), ..state }
            }
            TransferEvent::RefundRefused { reason } => {
                State { status: Status::Held, reason: Some(reason), ..state }
            }
            TransferEvent::Redirected { .. } => State { status: Status::Refunding, ..state },
            TransferEvent::Refunded => State { status: Status::Refunded, ..state },
        }
    }
}

impl Process for Transfer {
    type Source = NoSource;

    fn answered(
        name: &str,
        answer: &Answer,
        _: &StreamId,
        state: &State,
        _: &CommandContext<'_>,
    ) -> Result<Decision<TransferEvent>, Failed> {
        let Some(order) = &state.order else { return Ok(Decision::nothing()) };
        let refused = answer.rejection::<Reason>()?.map(|reason| reason.code);
        match (name, refused) {
            ("debit", Some(reason)) => Ok(TransferEvent::Failed { reason }.into()),
            ("debit", None) if state.status == Status::Lapsed => {
                Ok(order.refund(&order.from, TransferEvent::Debited)?)
            }
            ("debit", None) => Ok(Decision::from(TransferEvent::Debited).cancel("lapse")?.send(
                "credit",
                &order.to.0,
                &order.deposit(),
            )?),
            ("credit", Some(reason)) => {
                Ok(order.refund(&order.from, TransferEvent::CreditRefused { reason })?)
            }
            ("credit", None) => Ok(TransferEvent::Completed.into()),
            ("refund", Some(reason)) => Ok(TransferEvent::RefundRefused { reason }.into()),
            ("refund", None) => Ok(TransferEvent::Refunded.into()),
            // Otherwise the answer would be lost.
            _ => Err(format!("the transfer sends no command with the name {name}").into()),
        }
    }

    fn is_ended(state: &State) -> bool {
        matches!(state.status, Status::Completed | Status::Failed | Status::Refunded)
    }
}

/// The code of any rejection.
#[derive(Deserialize)]
struct Reason {
    code: String,
}

#[cfg(test)]
mod tests;

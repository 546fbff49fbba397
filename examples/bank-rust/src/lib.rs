//! A bank in Rust. Each account is an aggregate, whose own object decides its commands. Each transfer is a process, which sends
//! commands to two accounts. The projection stores the balance of each account as a document.

mod account;
mod transfer;

use account::{Account, AccountEvent};
use serde::{Deserialize, Serialize};
use sillok::handler::{Event, Failed, FeedEvent, Projection, TypedDocuments, Upcasts};
use sillok_worker::AppError;
use transfer::Transfer;
use worker::{Context, Env, Response, event, web_sys};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Balance {
    owner: String,
    cents: u64,
}

struct Balances;

impl Projection for Balances {
    type Event = AccountEvent;
    type Document = Balance;
    const CATEGORY: Option<&str> = Some("account");
    const UPCASTS: Upcasts = AccountEvent::UPCASTS;

    fn apply(
        event: AccountEvent,
        source: &FeedEvent,
        balances: &TypedDocuments<'_, Balance>,
    ) -> Result<(), Failed> {
        let account = source.stream.as_str();
        let Balance { owner, cents } = balances.get(account)?.unwrap_or_default();
        let balance = match event {
            AccountEvent::Opened { owner } => Balance { owner, cents },
            AccountEvent::Deposited { cents: more } => Balance { owner, cents: cents + more },
            AccountEvent::Withdrawn { cents: less } => Balance { owner, cents: cents - less },
        };
        Ok(balances.put(account, &balance)?)
    }
}

#[event(start)]
fn start() -> Result<(), AppError> {
    sillok_worker::app()
        .aggregate::<Account>()
        .process::<Transfer>()
        .projection::<Balances>("balances")
        .start()
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _: Context) -> worker::Result<Response> {
    sillok_worker::fetch(request, &env).await
}

#[cfg(test)]
mod tests {
    use sillok::testing::projected;

    use super::*;

    #[test]
    fn a_balance_follows_the_events_of_its_account() -> Result<(), Box<dyn std::error::Error>> {
        let events = [
            AccountEvent::Opened { owner: "Ada".to_owned() },
            AccountEvent::Deposited { cents: 100 },
            AccountEvent::Withdrawn { cents: 30 },
        ];
        let events: Result<Vec<_>, _> =
            events.iter().map(|event| event.to_new().map(|event| ("account-42", event))).collect();
        let documents = projected::<Balances>(&events?).map_err(|failed| failed.message().to_owned())?;
        let balance = Balance { owner: "Ada".to_owned(), cents: 70 };
        assert_eq!(documents, [("account-42".to_owned(), balance)].into());
        Ok(())
    }
}

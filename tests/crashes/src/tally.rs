//! An aggregate that adds numbers up, a reactor that sends it commands, and a route of the Worker's own that does.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sillok::gateway::StateAt;
use sillok::handler::{
    CommandContext, Decider, Decision, Event, Failed, FeedEvent, Refusal, Upcasts, reject,
};
use sillok::store::{ExpectedVersion, JsonText, ReadRange, Version};
use sillok_worker::{ExecuteError, Failure, Reactor, ReactorContext};
use worker::{Env, Response, Url, web_sys};

use crate::crash;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub(crate) enum TallyCommand {
    Add { n: u64 },
    Fail { secret: String },
    Crash { how: String },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub(crate) enum TallyEvent {
    Added { n: u64 },
}

impl Event for TallyEvent {
    const UPCASTS: Upcasts = &[("Added", &[bare_to_named])];
}

/// Version 1 of `Added` was a bare number.
fn bare_to_named(data: JsonText) -> Result<JsonText, Failed> {
    Ok(JsonText::from_value(&json!({ "n": serde_json::from_str::<u64>(data.as_str())? }))?)
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "code", content = "data", rename_all = "snake_case")]
pub(crate) enum TallyRejection {
    Unlucky { n: u64 },
}

pub(crate) struct Tally;

impl Decider for Tally {
    type State = u64;
    type Command = TallyCommand;
    type Event = TallyEvent;
    type Rejection = TallyRejection;
    const CATEGORY: &str = "tally";

    fn initial_state() -> u64 {
        0
    }

    fn decide(
        command: TallyCommand,
        _: &u64,
        _: &CommandContext<'_>,
    ) -> Result<Decision<TallyEvent>, Refusal<TallyRejection>> {
        match command {
            TallyCommand::Add { n: 0 } => Ok(Decision::nothing()),
            TallyCommand::Add { n: 13 } => reject(TallyRejection::Unlucky { n: 13 }),
            TallyCommand::Add { n } => Ok(TallyEvent::Added { n }.into()),
            TallyCommand::Fail { secret } => Err(Failed::from(secret).into()),
            TallyCommand::Crash { how } => Err(crash(&how).into()),
        }
    }

    fn evolve(state: u64, TallyEvent::Added { n }: TallyEvent) -> u64 {
        state + n
    }
}

/// Adds each number to `tally-total`. Its first attempt at 5 crashes after the command.
pub(crate) struct Totals;

impl Reactor for Totals {
    type Event = TallyEvent;
    const CATEGORY: Option<&str> = Some("tally");
    const UPCASTS: Upcasts = TallyEvent::UPCASTS;
    const POLICY: sillok::handler::Policy = crate::POLICY;

    async fn react(
        TallyEvent::Added { n }: TallyEvent,
        source: &FeedEvent,
        context: &ReactorContext,
    ) -> Result<(), Failed> {
        if source.stream.as_str() == "tally-total" {
            return Ok(());
        }
        context.execute::<Tally>("tally-total", &TallyCommand::Add { n }).await?;
        if n == 5 && context.attempt() == 1 { Err(crash("panic")) } else { Ok(()) }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", content = "data")]
pub(crate) enum Question {
    Asked { of: String },
}

/// Answers each question by the numbers of a tally, its state, and its state at version 1.
pub(crate) struct Answers;

impl Reactor for Answers {
    type Event = Question;
    const CATEGORY: Option<&str> = Some("question");

    async fn react(
        Question::Asked { of }: Question,
        source: &FeedEvent,
        context: &ReactorContext,
    ) -> Result<(), Failed> {
        let (mut numbers, mut next) = (Vec::new(), Some(ReadRange::all()));
        while let Some(range) = next {
            let page = context.read::<TallyEvent>(&of, range).await?;
            numbers.extend(page.events.into_iter().map(|recorded| recorded.event));
            next = page.next;
        }
        let now = context.state::<Tally>(&of).await?;
        let first = context.state_at::<Tally>(&of, StateAt::Version(Version::FIRST)).await?;
        let data = json!({ "count": numbers.len(), "state": now.state, "version": now.version.get(), "first": first.state });
        let answered = json!({ "type": "Answered", "data": data });
        context.append(&format!("answer-{}", source.stream), &answered, ExpectedVersion::Any).await?;
        Ok(())
    }
}

/// The stream, the id of the command, and the number of `/own/{stream}/{id}/{n}`.
pub(crate) fn own_route(request: &web_sys::Request) -> Option<(String, String, u64)> {
    let url = Url::parse(&request.url()).ok()?;
    let mut parts = url.path().strip_prefix("/own/")?.split('/');
    let (stream, id) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some((stream, id, parts.next()?.parse().ok()?))
}

/// Adds a number for a tenant, and answers with the outcome, the state and all numbers.
pub(crate) async fn add(env: &Env, stream: &str, id: &str, n: u64) -> worker::Result<Response> {
    Response::from_json(&added(env, stream, id, n).await.unwrap_or_else(|failure| json!(failure)))
}

async fn added(env: &Env, stream: &str, id: &str, n: u64) -> Result<serde_json::Value, Failure> {
    let store = sillok_worker::store(env);
    let executed = store.execute::<Tally>(stream, &TallyCommand::Add { n }).with_id(id).await;
    let outcome = match executed {
        Ok(executed) => json!({ "version": executed.version.get(), "replayed": executed.replayed }),
        Err(ExecuteError::Rejected(TallyRejection::Unlucky { n })) => json!({ "unlucky": n }),
        Err(ExecuteError::Failed(failure)) => return Err(failure),
    };
    let state = store.state::<Tally>(stream).await?.state;
    let page = store.read::<TallyEvent>(stream, ReadRange::all()).await?;
    let numbers: Vec<u64> = page
        .events
        .iter()
        .map(|recorded| {
            let TallyEvent::Added { n } = recorded.event;
            n
        })
        .collect();
    Ok(json!({ "outcome": outcome, "state": state, "numbers": numbers }))
}

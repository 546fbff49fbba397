//! The streams that the Worker's own code uses.

#[cfg(feature = "testing")]
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use sillok::ErrorCode;
use sillok::handler::Decider;
use sillok::store::{StreamId, Tenant};
use sillok_bridge::{AppendedJson, ExecutedJson, Failure, PageJson, StateJson};
use worker::Env;

use crate::aggregate::{AppendRequest, ExecuteRequest, ReadRequest, Remote, StateRequest};
use crate::objects::Answered;
#[cfg(feature = "testing")]
use crate::testing::InMemory;

/// The answer to a request. The future is boxed, so that it is not a part of every caller's future.
pub(crate) type StoreFuture<T> = LocalBoxFuture<'static, Result<T, Failure>>;

/// The streams of one tenant.
#[derive(Debug, Clone)]
pub(crate) enum Streams {
    /// The objects of this deployment.
    Deployed { env: Env, tenant: Option<Tenant> },
    /// The streams of a native test.
    #[cfg(feature = "testing")]
    InMemory(Rc<InMemory>),
}

impl Streams {
    pub(crate) fn of_tenant(self, tenant: &Tenant) -> Self {
        match self {
            Self::Deployed { env, .. } => Self::Deployed { env, tenant: Some(tenant.clone()) },
            #[cfg(feature = "testing")]
            Self::InMemory(streams) => Self::InMemory(streams),
        }
    }

    pub(crate) fn append(&self, request: AppendRequest) -> StoreFuture<AppendedJson> {
        let remote = self.find(&request.stream);
        #[cfg(feature = "testing")]
        if let Self::InMemory(streams) = self {
            return ready(streams.append(request));
        }
        Box::pin(async move { answer(remote?.append(&request).await) })
    }

    /// Executes a command in the object of its stream.
    pub(crate) fn execute(&self, request: ExecuteRequest) -> StoreFuture<ExecutedJson> {
        let remote = self.find(&request.stream);
        Box::pin(async move { answer(remote?.execute(&request).await) })
    }

    /// Executes a command of an aggregate in Rust. A native test has no objects, and decides it by `D` itself.
    pub(crate) fn execute_by<D: Decider>(&self, request: ExecuteRequest) -> StoreFuture<ExecutedJson> {
        #[cfg(feature = "testing")]
        if let Self::InMemory(streams) = self {
            return ready(streams.execute::<D>(request));
        }
        self.execute(request)
    }

    pub(crate) async fn read(&self, request: ReadRequest) -> Result<PageJson, Failure> {
        #[cfg(feature = "testing")]
        if let Self::InMemory(streams) = self {
            return streams.read(&request);
        }
        answer(self.find(&request.stream)?.read(request).await)
    }

    /// Loads a state of an aggregate in Rust. A native test has no objects, and loads it by `D` itself.
    pub(crate) async fn state_by<D: Decider>(&self, request: StateRequest) -> Result<StateJson, Failure> {
        #[cfg(feature = "testing")]
        if let Self::InMemory(streams) = self {
            return streams.state::<D>(&request);
        }
        answer(self.find(&request.stream)?.state(&request).await)
    }

    fn find(&self, stream: &StreamId) -> Result<Remote, Failure> {
        let unavailable = |error: worker::Error| Failure::new(ErrorCode::Unavailable, error.to_string());
        match self {
            Self::Deployed { env, tenant } => Remote::find(env, tenant.as_ref(), stream).map_err(unavailable),
            #[cfg(feature = "testing")]
            Self::InMemory(_) => Err(Failure::new(ErrorCode::Unavailable, "a native test has no objects")),
        }
    }
}

#[cfg(feature = "testing")]
fn ready<T: 'static>(answer: Result<T, Failure>) -> StoreFuture<T> {
    Box::pin(std::future::ready(answer))
}

fn answer<T>(answered: Answered<T>) -> Result<T, Failure> {
    answered.map(|(answer, _)| answer).map_err(|error| error.into_failure("stream"))
}

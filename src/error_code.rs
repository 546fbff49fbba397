//! The registry of error codes. Each code stands here once, with its HTTP status, its meaning and the fields of its
//! errors. The registry also says whether a retry can help.
//!
//! Tests compare the types of TypeScript and the table in `docs/http.md` with this registry.

use std::fmt;

/// Whether a retry can help after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// No. The same call is always refused again.
    Never,
    /// Not the same call. Read again, decide again, and make another call.
    AfterReading,
    /// After a change of the token, the configuration, the code or the stored data.
    AfterChange,
    /// The same call may succeed after a pause.
    Later,
    /// Yes. Repeat the same call, with growing pauses. The stores of the package repeat it themselves.
    Repeat,
}

impl Retry {
    /// The words for this value in the documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::AfterReading => "after reading again",
            Self::AfterChange => "after a change",
            Self::Later => "later",
            Self::Repeat => "repeat",
        }
    }
}

/// Makes the enum of codes from one table. Each property is a function of its own, so that a program contains the
/// meanings only if it uses them.
macro_rules! error_codes {
    ($($code:ident $text:literal [$($status:literal)?] $retry:ident [$($field:literal)*] $meaning:literal)*) => {
        /// The stable name of an error, the same in every release, and the same in Rust, JavaScript and HTTP.
        ///
        /// ```
        /// use sillok::{ErrorCode, Retry};
        ///
        /// let code = ErrorCode::from_text("wrong_expected_version");
        /// assert_eq!(code, Some(ErrorCode::WrongExpectedVersion));
        /// assert_eq!(ErrorCode::WrongExpectedVersion.status(), Some(412));
        /// assert_eq!(ErrorCode::WrongExpectedVersion.retry(), Retry::AfterReading);
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = $meaning] $code,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// The code as text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $text,)*
                }
            }

            /// The HTTP status of an answer with this code. A code has no status if it occurs only within a program.
            #[must_use]
            pub const fn status(self) -> Option<u16> {
                match self {
                    $(Self::$code => error_codes!(@status $($status)?),)*
                }
            }

            /// Whether a retry of the same call can help.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self {
                    $(Self::$code => Retry::$retry,)*
                }
            }

            /// The fields that an error with this code may carry, beside the code and its message.
            #[must_use]
            pub const fn fields(self) -> &'static [&'static str] {
                match self {
                    $(Self::$code => &[$($field),*],)*
                }
            }

            /// The meaning of the code, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$code => $meaning,)*
                }
            }
        }
    };
    (@status) => { None };
    (@status $status:literal) => { Some($status) };
}

error_codes! {
    InvalidStreamId "invalid_stream_id" [400] Never ["field"]
        "A stream id is empty, is longer than 200 bytes, contains a control character or is not UTF-8."
    MalformedJson "malformed_json" [400] Never ["field"]
        "The text is not JSON."
    InvalidEvent "invalid_event" [400] Never ["field"]
        "An event is not an object, has no `type`, has a field that events do not have, or holds a value that JSON cannot carry."
    InvalidEventType "invalid_event_type" [400] Never ["field"]
        "An event type is not a string of 1 to 200 bytes without control characters."
    InvalidEventId "invalid_event_id" [400] Never ["field"]
        "An event id is not a string of 1 to 200 bytes without control characters."
    InvalidMetadata "invalid_metadata" [400] Never ["field"]
        "Metadata is not a JSON object."
    NoEvents "no_events" [400] Never ["field"]
        "The append has no events."
    InvalidExpectedVersion "invalid_expected_version" [400] Never ["field"]
        "The expected version is not a version, `any`, `no-stream` or `stream-exists`."
    InvalidCheckpoint "invalid_checkpoint" [400] Never ["field"]
        "The checkpoint does not belong to this feed, or is beyond its end."
    InvalidCategory "invalid_category" [400] Never ["field"]
        "No stream can have this category, for example because it contains a `-`."
    InvalidConsumer "invalid_consumer" [400] Never ["field"]
        "The definition of a consumer is not valid."
    InvalidConsumerName "invalid_consumer_name" [400] Never ["field"]
        "A consumer's name is empty, is longer than 200 bytes, contains a control character or is not UTF-8."
    InvalidPolicy "invalid_policy" [400] Never ["field"]
        "A number of a consumer's policy is out of its range."
    InvalidDocumentKey "invalid_document_key" [400] Never ["field"]
        "A document's key is empty, is longer than 200 bytes, contains a control character or is not UTF-8."
    InvalidIdempotencyKey "invalid_idempotency_key" [400] Never ["field"]
        "An idempotency key is empty, is longer than 200 bytes, contains a control character or U+FFFD, or is not UTF-8."
    InvalidParameter "invalid_parameter" [400] Never ["field"]
        "A parameter or an option is unknown, is given twice or has a value that it cannot have."
    PageTooLarge "page_too_large" [400] Never ["field"]
        "`limit` is more than 1,000."
    UnsupportedHeader "unsupported_header" [400] Never ["field"]
        "A header would change the meaning of the request and is not supported."
    InvalidCommand "invalid_command" [400] Never ["field"]
        "A command is not an object, or does not have the shape that its aggregate declares."
    UnknownCommand "unknown_command" [400] Never ["field"]
        "The aggregate has no command of this type."
    InvalidAggregate "invalid_aggregate" [] Never ["field"]
        "The definition of an aggregate is not valid."
    NoAggregate "no_aggregate" [404] AfterChange []
        "The category of the stream has no decider."
    CommandRejected "command_rejected" [422] AfterReading ["rejection" "version" "replayed"]
        "The rules of the aggregate refuse the command."
    StateUnavailable "state_unavailable" [409] Never []
        "The history that the state needs was truncated, and no snapshot fits."
    DeciderFailed "decider_failed" [500] AfterChange []
        "The code of the aggregate has thrown an error or returned an invalid value."
    AsyncDecider "async_decider" [500] AfterChange []
        "The code of the aggregate has returned a promise. It must be synchronous."
    AsyncSchema "async_schema" [500] AfterChange []
        "A schema has returned a promise. It must be synchronous."
    UnknownEvent "unknown_event" [500] AfterChange []
        "The stream has an event of a type that the aggregate does not declare."
    EventTooNew "event_too_new" [500] AfterChange []
        "An event has a higher schema version than the code knows."
    MissingToken "missing_token" [401] AfterChange []
        "The request has no bearer token."
    InvalidToken "invalid_token" [401] AfterChange []
        "The token is not valid."
    InvalidSignature "invalid_signature" [] Never ["field"]
        "The message is not one of this webhook, was changed, or is too old."
    AuthNotConfigured "auth_not_configured" [401] AfterChange []
        "The server has no secret of at least 32 bytes."
    InsufficientScope "insufficient_scope" [403] AfterChange ["field"]
        "The token does not have the scope that the request needs."
    StreamNotAllowed "stream_not_allowed" [403] AfterChange []
        "The token does not allow this stream, or the request needs a token for all streams."
    OriginNotAllowed "origin_not_allowed" [403] AfterChange ["field"]
        "A page of another origin sent the request, and the server has no secret."
    HostNotAllowed "host_not_allowed" [403] AfterChange ["field"]
        "The request is for another host, and the server has no secret."
    NotFound "not_found" [404] AfterChange []
        "There is nothing at this path."
    StreamNotFound "stream_not_found" [404] AfterChange []
        "The stream never had an event."
    ConsumerNotFound "consumer_not_found" [404] AfterChange []
        "There is no consumer or projection of this name."
    DocumentNotFound "document_not_found" [404] AfterChange []
        "The projection has no document of this key."
    DeadLetterNotFound "dead_letter_not_found" [404] AfterChange []
        "The consumer has no dead letter of this id."
    TimerNotFound "timer_not_found" [404] AfterChange []
        "The stream has no timer of this key."
    SentCommandNotFound "sent_command_not_found" [404] AfterChange []
        "The stream has no sent command of this id that waits for its answer."
    MethodNotAllowed "method_not_allowed" [405] Never []
        "The path does not take this method."
    NotAcceptable "not_acceptable" [406] Never ["field"]
        "`Accept` excludes every form that the answer can have."
    ConsumerDefinedInCode "consumer_defined_in_code" [409] AfterChange []
        "The consumer is defined in the code of the deployment and can be changed only there."
    ConsumerKindFixed "consumer_kind_fixed" [409] AfterChange ["field"]
        "A consumer of another kind has this name and must be deleted first."
    ConsumerAfterFixed "consumer_after_fixed" [409] AfterChange ["field"]
        "The consumer continues from where it is until it is deleted, so `after` cannot change."
    NotAProjection "not_a_projection" [409] AfterChange []
        "The consumer is not a projection: only a projection has documents and can be rebuilt."
    TooManyTimers "too_many_timers" [409] AfterReading []
        "The stream would have more than 1,000 timers."
    TooManySent "too_many_sent" [409] AfterReading []
        "The stream would have more than 1,000 commands that are sent and not answered."
    VersionExhausted "version_exhausted" [409] Never []
        "The stream has 2^53 − 1 events."
    StreamDeleted "stream_deleted" [410] Never []
        "The stream was deleted."
    StreamTruncated "stream_truncated" [410] AfterReading []
        "An event of a range that must be complete was truncated."
    WrongExpectedVersion "wrong_expected_version" [412] AfterReading ["stream" "expected" "actual"]
        "The stream is not at the expected version; `actual` is its version."
    BodyTooLarge "body_too_large" [413] Never []
        "The body is larger than 2 MiB, or larger than 64 KiB where it defines a consumer."
    CommitTooLarge "commit_too_large" [413] Never ["field"]
        "The events of one append are larger than 1 MiB, as they are stored."
    TooManyEvents "too_many_events" [413] Never ["field"]
        "The append has more than 1,024 events."
    MetadataTooLarge "metadata_too_large" [413] Never ["field"]
        "The metadata of one event is larger than 16 KiB."
    IdempotencyKeyReused "idempotency_key_reused" [422] Never []
        "Other events were appended to the stream under this key."
    NotSupported "not_supported" [] Never ["field"]
        "The store cannot do this. A server appends to one stream at a time."
    StorageFailed "storage_failed" [500] Later []
        "The storage cannot be opened, read or written, or the store was closed."
    StorageReadOnly "storage_read_only" [500] AfterChange []
        "The storage is open only for reading, or cannot be written to."
    StoredDataCorrupt "stored_data_corrupt" [500] AfterChange []
        "Stored data cannot be read."
    Internal "internal" [500] Later []
        "The server or the engine has failed."
    InvalidConfiguration "invalid_configuration" [500] AfterChange []
        "`JOURNAL_PARTITIONS` is not a whole number from 1 to 64, or a binding is missing, or a name is misspelt."
    JournalPartitionsChanged "journal_partitions_changed" [500] AfterChange []
        "`JOURNAL_PARTITIONS` is not the number that the journal was begun with."
    PartitionsChanged "partitions_changed" [500] AfterChange []
        "`JOURNAL_PARTITIONS` is not the number of partitions that the consumer follows."
    ProjectionBehind "projection_behind" [503] Later ["field"]
        "The projection does not cover the event of `min` yet."
    StorageBusy "storage_busy" [503] Repeat []
        "Another connection has locked the database, and nothing was written."
    Overloaded "overloaded" [503] Later []
        "There are more requests for this than can be taken."
    Unavailable "unavailable" [503] Repeat []
        "No answer came; a change may have been made."
    StreamFull "stream_full" [507] AfterChange []
        "The storage of the stream has reached its limit of nearly 10 GB; truncate the stream."
    DocumentTooLarge "document_too_large" [] Never ["field"]
        "A document is larger than 1 MiB of JSON."
    DocumentMismatch "document_mismatch" [] AfterChange ["field"]
        "A document is not of the projection's type."
    DocumentsOver "documents_over" [] AfterChange []
        "A projection's handler used its documents after it had returned."
    HandlerOver "handler_over" [] AfterChange []
        "A reactor's handler appended after it had ended."
    InvalidPartitions "invalid_partitions" [] AfterChange []
        "The number of partitions is not 1 to 256."
    InvalidTenant "invalid_tenant" [] AfterChange []
        "A tenant's name is empty, is longer than 200 bytes or contains a control character."
    UnsupportedPlatform "unsupported_platform" [] AfterChange []
        "This platform has no files."
    InvalidAnswer "invalid_answer" [] AfterChange []
        "The server's answer is not one of Sillok, or not one that this version of the package knows."
}

impl ErrorCode {
    /// The code with this text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

// This prints the text. A derived form would carry a second name for each code.
impl fmt::Debug for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

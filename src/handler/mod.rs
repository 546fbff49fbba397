//! What reacts to events: consumers, each with a durable checkpoint.

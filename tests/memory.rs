//! The memory store fulfils the contract: natively, in Node and in a browser.

use sillok::store::{EventStore, MemoryLog};
use wasm_bindgen_test::wasm_bindgen_test;

sillok::store_contract!(#[wasm_bindgen_test(unsupported = test)], EventStore::new(MemoryLog::new()));
sillok::feed_contract!(#[wasm_bindgen_test(unsupported = test)], EventStore::new(MemoryLog::new()));
sillok::decision_contract!(#[wasm_bindgen_test(unsupported = test)], EventStore::new(MemoryLog::new()));
sillok::pending_contract!(#[wasm_bindgen_test(unsupported = test)], EventStore::new(MemoryLog::new()));

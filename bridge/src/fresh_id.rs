//! Fresh ids, made from the platform's random numbers.

use std::cell::Cell;

use sillok::ErrorCode;
use sillok::store::{EventId, RecordedTime};
use uuid::Uuid;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen::throw_val;

use crate::failure::Failure;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]) -> Result<JsValue, JsValue>;
}

/// The number of random bytes that one call to the platform returns. A call costs as much as the rest of a small append.
const POOL_BYTES: usize = 2048;
/// The number of random bytes for one id.
const ID_BYTES: usize = size_of::<u64>();

/// The number of bits of an id after its time: 12 and 62. A version and a variant fill the other bits.
const TAIL_BITS: u32 = 74;

thread_local! {
    static IDS: Cell<Ids> = const { Cell::new(Ids { millis: 0, tail: 0, pool: Vec::new() }) };
}

/// Makes a new `UUIDv7` of this time. The ids that one engine makes sort in the order in which it made them. If the platform
/// refuses random numbers, its exception goes to the caller in JavaScript.
#[must_use]
pub fn fresh_id(now: RecordedTime) -> EventId {
    let mut ids = IDS.take();
    let id = ids.next(now);
    IDS.set(ids);
    let id = id.unwrap_or_else(|refused| throw_val(refused));
    EventId::new(&id.hyphenated().to_string()).unwrap_or_default()
}

/// The last id, and random bytes for the next ones.
#[derive(Default)]
struct Ids {
    millis: u64,
    tail: u128,
    pool: Vec<u8>,
}

impl Ids {
    /// Makes the next id. In a new millisecond the tail is random. Within a millisecond, or after the clock went back, the tail
    /// increases by a random step.
    fn next(&mut self, now: RecordedTime) -> Result<Uuid, JsValue> {
        let random = self.random()?;
        if now.as_millis() > self.millis {
            self.millis = now.as_millis();
            // The highest bit stays free for the steps.
            self.tail = u128::from(random) << (TAIL_BITS - 1 - u64::BITS);
        } else {
            self.tail += u128::from(random >> u32::BITS) + 1;
        }
        let (version, variant) = (7, 2);
        let (high, low) = (self.tail >> 62, self.tail & ((1 << 62) - 1));
        Ok(Uuid::from_u128(
            (u128::from(self.millis) << 80)
                | (version << 76)
                | ((high & 0xfff) << 64)
                | (variant << 62)
                | low,
        ))
    }

    fn random(&mut self) -> Result<u64, JsValue> {
        if self.pool.len() < ID_BYTES {
            let mut pool = vec![0; POOL_BYTES];
            get_random_values(&mut pool)?;
            self.pool = pool;
        }
        let left = self.pool.len() - ID_BYTES;
        let taken = self.pool.get(left..).and_then(|bytes| bytes.try_into().ok()).map(u64::from_ne_bytes);
        self.pool.truncate(left);
        Ok(taken.unwrap_or_default())
    }
}

/// Random bytes, for a secret.
///
/// # Errors
/// `internal` if the platform refuses random numbers.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    match get_random_values(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(_) => Err(Failure::new(ErrorCode::Internal, "the platform does not give random numbers")),
    }
}

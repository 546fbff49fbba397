//! The body of a response that is read while the client receives it.

use futures_util::stream::{Stream, StreamExt, TryStream, TryStreamExt, iter, try_unfold};

use super::lines::cut_off;
use crate::objects::RemoteError;

/// The number of chunks that the runtime takes from a body before it has sent the previous ones.
const TAKEN_AHEAD: usize = 2;

/// A source that is read piece by piece.
pub(super) trait Pieces {
    /// Reads the next piece. `None` at the end.
    async fn next(&mut self) -> Result<Option<String>, RemoteError>;
}

/// Converts the pieces to chunks of bytes. An error ends the response inside its body, so the reader notices it.
///
/// At an error, the runtime drops the chunks that it has not sent. To lose no piece, `padding` comes before the error, once for
/// each chunk that the runtime takes ahead. A reader does not miss the padding.
pub(super) fn chunks(
    pieces: impl Pieces + 'static,
    padding: &'static str,
) -> impl TryStream<Ok = Vec<u8>, Error = worker::Error> + 'static {
    padded(pieces_of(pieces), padding).map_err(|error| cut_off(&error)).map_ok(String::into_bytes)
}

fn pieces_of(pieces: impl Pieces + 'static) -> impl Stream<Item = Result<String, RemoteError>> + 'static {
    try_unfold(pieces, |mut pieces| async move {
        let piece = pieces.next().await?;
        Ok(piece.map(|piece| (piece, pieces)))
    })
}

fn padded<E: 'static>(
    pieces: impl Stream<Item = Result<String, E>> + 'static,
    padding: &'static str,
) -> impl Stream<Item = Result<String, E>> + 'static {
    pieces.flat_map(move |piece| {
        let count = if piece.is_ok() { 0 } else { TAKEN_AHEAD };
        iter(std::iter::repeat_with(|| Ok(padding.to_owned())).take(count).chain([piece]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn an_error_comes_after_its_padding() {
        let pieces = iter([Ok("a".to_owned()), Ok("b".to_owned()), Err(7)]);
        let sent: Vec<_> = padded(pieces, " ").collect().now_or_never().unwrap();
        assert_eq!(
            sent,
            ["a", "b", " ", " "]
                .map(|piece| Ok(piece.to_owned()))
                .into_iter()
                .chain([Err(7)])
                .collect::<Vec<_>>()
        );
    }
}

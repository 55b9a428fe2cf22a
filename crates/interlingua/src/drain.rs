use std::task::{Context, Poll};
use std::time::Duration;

use crate::Body;

/// Most bytes that are read behind the end of an answer.
const BYTES: usize = 64 << 10;
/// How long is waited for the end of the body behind the end of the answer.
const TIME: Duration = Duration::from_secs(1);

/// Reads what is left of a body behind the end of the answer, in the background and within bounds, so that its
/// connection can be used again. Where that takes too long, closing the connection is cheaper.
pub(crate) fn rest(mut body: Body, context: &mut Context<'_>) {
    let mut room = BYTES;
    loop {
        match body.poll_chunk(context) {
            Poll::Ready(Some(Ok(chunk))) if chunk.len() <= room => room -= chunk.len(),
            Poll::Ready(_) => return,
            Poll::Pending => break,
        }
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(tokio::time::timeout(TIME, async move {
        while let Some(Ok(chunk)) = body.chunk().await {
            let Some(left) = room.checked_sub(chunk.len()) else { return };
            room = left;
        }
    }));
}

//! The laws that the fuzz targets try. A target picks a protocol and a law; any bytes at all go in.

use interlingua_model::{Event, Fold};
use interlingua_wire::frame::Sse;
use interlingua_wire::{Call, Codec, Grammar, Limits, Mint, Mode, Serve};

/// Small enough for a fuzzer to reach.
const LIMITS: Limits = Limits::new(1 << 16, 1 << 18);

/// The bytes that tell where to cut, and the bytes that are cut.
fn split(data: &[u8]) -> Option<(Mode, Vec<usize>, &[u8])> {
    let (flags, rest) = data.split_first()?;
    let (steps, body) = rest.split_at_checked(usize::from(flags >> 4))?;
    let mode = if flags & 1 == 0 { Mode::Stream } else { Mode::Whole };
    let mut at = 0;
    let cuts = steps.iter().map(|step| {
        at += usize::from(*step);
        at
    });
    let cuts = cuts.take_while(|cut| *cut < body.len()).collect();
    Some((mode, cuts, body))
}

/// Any split of the bytes gives the same frames.
pub fn sse(data: &[u8]) {
    let Some((_, cuts, body)) = split(data) else { return };
    let frames = |cuts: &[usize]| {
        let mut frames = Vec::new();
        let mut splitter = Sse::new(LIMITS.frame);
        let mut outcome = Ok(());
        let mut from = 0;
        for cut in cuts.iter().copied().chain([body.len()]) {
            outcome = splitter.push(&body[from..cut], &mut |frame| {
                frames.push((frame.name.map(<[u8]>::to_vec), frame.data.to_vec(), frame.cut));
                Ok(())
            });
            from = cut;
            if outcome.is_err() {
                return (frames, false);
            }
        }
        let end = splitter.end(&mut |frame| {
            frames.push((frame.name.map(<[u8]>::to_vec), frame.data.to_vec(), frame.cut));
            Ok(())
        });
        (frames, outcome.and(end).is_ok())
    };
    assert_eq!(frames(&[]), frames(&cuts));
}

/// Any bytes give events that obey the grammar, or an error; any split of them gives the same.
pub fn decode(codec: &dyn Codec, data: &[u8]) {
    let Some((mode, cuts, body)) = split(data) else { return };
    let whole = events(codec, mode, body, &[]);
    let pieces = events(codec, mode, body, &cuts);
    assert_eq!(whole, pieces);
}

/// Any bytes are a client's request or an error. What was read without a warning goes out and comes back the same.
pub fn serve(codec: &dyn Serve, path: &str, data: &[u8]) {
    let Ok((request, mode)) = codec.decode_request(&Call::post(path, data.to_vec())) else { return };
    let Ok(encoded) = codec.encode(&request, mode) else { return };
    let again = codec.encode(&request, mode).map(|again| again.call.body);
    assert_eq!(
        Some(&encoded.call.body),
        again.as_ref().ok(),
        "encoding the same request twice gives other bytes"
    );
    let back = codec.decode_request(&encoded.call);
    let (back, mode_back) = back.unwrap_or_else(|error| {
        panic!("{error}\nin {}", String::from_utf8_lossy(&encoded.call.body));
    });
    assert_eq!(mode, mode_back);
    if encoded.warnings.is_empty() {
        assert_eq!(request, back, "through {}", String::from_utf8_lossy(&encoded.call.body));
    }
}

/// What one half decodes the other half encodes; the bytes that it makes decode again.
pub fn answer(codec: &dyn Serve, path: &str, data: &[u8]) {
    let Some((mode, _, body)) = split(data) else { return };
    let (events, error) = events(codec, mode, body, &[]);
    if error.is_some() {
        return;
    }
    let asked = codec
        .decode_request(&Call::post(path, &br#"{"model":"m","max_tokens":9,"messages":[],"input":[]}"#[..]));
    let Ok((asked, _)) = asked else { return };
    let mut encoder = codec.encoder(&asked, mode, Mint::new(1_795_000_000, "0a1b2c"));
    if events.iter().try_for_each(|event| encoder.push(event)).is_err() {
        return;
    }
    assert!(encoder.is_finished());
    let bytes = encoder.take();
    let (_, error) = self::events(codec, mode, &bytes, &[]);
    assert_eq!(error, None, "in {}", String::from_utf8_lossy(&bytes));
}

fn events(codec: &dyn Codec, mode: Mode, body: &[u8], cuts: &[usize]) -> (Vec<Event>, Option<String>) {
    let mut decoder = codec.decoder(mode, LIMITS);
    let (mut grammar, mut fold, mut events) = (Grammar::default(), Fold::new(), Vec::new());
    let mut outcome = Ok(());
    let mut from = 0;
    for cut in cuts.iter().copied().map(Some).chain([Some(body.len()), None]) {
        outcome = match cut {
            Some(cut) => decoder.push(&body[from..cut]),
            None => decoder.end(),
        };
        from = cut.unwrap_or(from);
        while let Some(event) = decoder.poll() {
            if let Err(violation) = grammar.check(&event) {
                panic!("{violation}\nafter {events:#?}");
            }
            fold.push(&event);
            events.push(event);
        }
        if outcome.is_err() {
            break;
        }
    }
    if outcome.is_ok()
        && let Err(violation) = grammar.end()
    {
        panic!("{violation}: {events:#?}");
    }
    let _ = fold.response();
    (events, outcome.err().map(|error| error.to_string()))
}

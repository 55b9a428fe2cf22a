//! Rate limits and request ids in headers.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use interlingua_wire::{RateLimits, Reset, request_id};
use proptest::prelude::*;

fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    list.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[test]
fn limits_are_read_by_the_shape_of_their_headers() {
    let at = |seconds| Some(Reset::At(UNIX_EPOCH + Duration::from_secs(seconds)));
    let after = |milliseconds| Some(Reset::In(Duration::from_millis(milliseconds)));
    let cases = [
        ("x-ratelimit-{}-requests", "12ms", "requests", after(12)),
        ("x-ratelimit-{}-tokens", "6m0s", "tokens", after(360_000)),
        ("x-ratelimit-{}-tokens-day", "8.5", "tokens-day", after(8_500)),
        ("x-ratelimit-{}", "1795000000000", "requests", at(1_795_000_000)),
        ("ratelimit-{}", "1795000000", "requests", at(1_795_000_000)),
        ("anthropic-ratelimit-input-tokens-{}", "2026-11-18T11:06:40Z", "input-tokens", at(1_795_000_000)),
        ("anthropic-priority-tokens-{}", "2026-11-18T12:06:40+01:00", "priority-tokens", at(1_795_000_000)),
        ("x-other-ratelimit-{}-images", "3", "images", after(3_000)),
    ];
    for (pattern, value, name, expected) in cases {
        let mut headers = HeaderMap::new();
        for (word, value) in [("limit", "100, 100;w=60"), ("remaining", "7"), ("reset", value)] {
            let header = http::HeaderName::try_from(pattern.replace("{}", word)).unwrap();
            headers.insert(header, value.parse().unwrap());
        }
        let limits = RateLimits::of(&headers);
        let found = limits.get(name).unwrap_or_else(|| panic!("no {name} in {limits:?}"));
        assert_eq!((found.limit, found.remaining, found.reset), (Some(100), Some(7), expected), "{pattern}");
        assert_eq!(limits.iter().count(), 1);
    }
}

#[test]
fn what_is_no_limit_is_left_out() {
    let list = [
        ("anthropic-organization-id", "x"),
        ("x-limit", "3"),
        ("x-ratelimit-limit-requests", "many"),
        ("date", "1"),
    ];
    assert!(RateLimits::of(&headers(&list)).is_empty());
}

#[test]
fn a_reset_makes_a_pause() {
    let now = UNIX_EPOCH + Duration::from_secs(100);
    assert_eq!(Reset::In(Duration::from_secs(3)).pause(None), Some(Duration::from_secs(3)));
    assert_eq!(Reset::At(now).pause(None), None);
    assert_eq!(Reset::At(now + Duration::from_secs(2)).pause(Some(now)), Some(Duration::from_secs(2)));
    assert_eq!(Reset::At(UNIX_EPOCH).pause(Some(now)), Some(Duration::ZERO));
}

#[test]
fn the_request_id_is_the_most_special_one() {
    assert_eq!(request_id(&headers(&[("cf-ray", "r"), ("request-id", "req_1")])), Some("req_1"));
    assert_eq!(request_id(&headers(&[("cf-ray", "r"), ("x-request-id", " ")])), Some("r"));
    assert_eq!(request_id(&HeaderMap::new()), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_headers_are_survived(list in proptest::collection::vec(("(x-)?(ratelimit|anthropic)-[a-z-]{0,20}(limit|reset|remaining)?", "[ -~]{0,30}"), 0..20)) {
        let mut headers = HeaderMap::new();
        for (name, value) in &list {
            headers.append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        prop_assert!(RateLimits::of(&headers).iter().count() <= 64);
    }
}

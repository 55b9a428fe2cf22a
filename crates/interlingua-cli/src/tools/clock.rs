//! The clock.

use interlingua::FunctionTool;
use jiff::Zoned;

/// What the model is told about the tool.
pub(super) fn definition() -> FunctionTool {
    let schema = r#"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#;
    super::tool("clock", "The current date, weekday and time, in the user's time zone and in UTC", schema)
}

/// The time, for people and for programs.
pub(super) fn run() -> String {
    let now = Zoned::now();
    let local = now.strftime("%A, %Y-%m-%d %H:%M:%S %Z (UTC%:z)");
    format!("{local}\nUTC: {}", now.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_time_is_told_in_utc_too() {
        let text = super::run();
        let utc = text.lines().nth(1).unwrap();
        let stamp: jiff::Timestamp = utc.trim_start_matches("UTC: ").parse().unwrap();
        assert!(jiff::Timestamp::now().duration_since(stamp).as_secs() < 60, "{text}");
    }
}

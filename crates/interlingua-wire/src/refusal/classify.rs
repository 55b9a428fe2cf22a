use interlingua_model::ErrorKind;

use super::Complaint;

/// Codes and types of services, by what they mean. Compared in lower case, with `-`, ` ` and `.` read as `_`.
const CODES: [(ErrorKind, &[&str]); 9] = [
    (
        ErrorKind::ContextOverflow,
        &[
            "context_length_exceeded",
            "context_window_exceeded",
            "model_context_window_exceeded",
            "exceed_context_size_error",
            "too_many_prompt_tokens",
            "too_many_tokens",
            "string_above_max_length",
            "request_too_large",
            "max_tokens_exceeded",
        ],
    ),
    (
        ErrorKind::QuotaExceeded,
        &[
            "insufficient_quota",
            "exceeded_current_quota_error",
            "billing_error",
            "billing_hard_limit_reached",
            "billing_not_active",
            "insufficient_balance",
            "insufficient_credits",
            "insufficient_funds",
            "credits_exhausted",
            "arrearage",
            "enforced_spend_limit_reached",
            "contract_spend_limit_reached",
            "ramp_limit_exceeded",
            "spend_limit_reached",
            "payment_required",
            "servicequotaexceededexception",
        ],
    ),
    (
        ErrorKind::Authentication,
        &[
            "invalid_api_key",
            "authentication_error",
            "invalid_authentication_error",
            "incorrect_api_key_error",
            "api_key_invalid",
            "invalidapikey",
            "unauthenticated",
            "unauthorized",
            "missing_api_key",
            "token_expired",
            "unrecognizedclientexception",
            "invalidsignatureexception",
            "incompletesignatureexception",
            "missingauthenticationtokenexception",
            "expiredtokenexception",
        ],
    ),
    (
        ErrorKind::Permission,
        &[
            "permission_error",
            "permission_denied",
            "access_denied",
            "forbidden",
            "accessdeniedexception",
            "unsupported_country_region_territory",
        ],
    ),
    (
        ErrorKind::NotFound,
        &[
            "model_not_found",
            "not_found_error",
            "not_found",
            "model_not_found_error",
            "resource_not_found_error",
            "resourcenotfoundexception",
        ],
    ),
    (
        ErrorKind::Filtered,
        &[
            "content_policy_violation",
            "content_filter",
            "responsibleaipolicyviolation",
            "invalid_prompt",
            "data_inspection_failed",
            "datainspectionfailed",
            "bio_policy",
            "misalignment_policy_violation",
            "prohibited_content",
            "moderation_blocked",
        ],
    ),
    (
        ErrorKind::Overloaded,
        &[
            "overloaded_error",
            "overloaded",
            "engine_overloaded",
            "engine_overloaded_error",
            "model_overloaded",
            "service_unavailable",
            "unavailable",
            "service_unavailable_error",
            "slow_down",
            "serviceunavailableexception",
            "modelnotreadyexception",
        ],
    ),
    (
        ErrorKind::RateLimited,
        &[
            "rate_limit_error",
            "rate_limit_exceeded",
            "rate_limit_reached_error",
            "rate_limited",
            "too_many_requests",
            "resource_exhausted",
            "throttling",
            "throttlingexception",
            "throttling_ratequota",
        ],
    ),
    (
        ErrorKind::Timeout,
        &[
            "timeout_error",
            "request_timeout",
            "timeout",
            "deadline_exceeded",
            "vector_store_timeout",
            "modeltimeoutexception",
        ],
    ),
];

/// Codes that say no more than a status does; they count only where there is no status.
const GENERAL: [(ErrorKind, &[&str]); 2] = [
    (
        ErrorKind::InvalidRequest,
        &[
            "invalid_request_error",
            "invalid_request",
            "invalid_argument",
            "unsupported_parameter",
            "unsupported_value",
            "bad_request",
            "failed_to_download_image",
            "image_file_not_found",
            "validationexception",
        ],
    ),
    (
        ErrorKind::Server,
        &[
            "server_error",
            "api_error",
            "internal_error",
            "internal_server_error",
            "internal",
            "internalserverexception",
            "modelerrorexception",
            "modelstreamerrorexception",
        ],
    ),
];

/// Codes that may stand deep in a body and mean one thing wherever they stand.
const DEEP: [&str; 4] = [
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "ramp_limit_exceeded",
    "insufficient_quota",
];

/// How services word an overflow of the context window: Anthropic, Amazon, OpenAI, Google, xAI, Groq, many servers built
/// on vLLM and their resellers, Together, GitHub, llama.cpp, LM Studio, MiniMax, Moonshot, Mistral, Zhipu, Ollama,
/// Cohere, DeepSeek. Words of one entry must all be there.
const OVERFLOW: [&[&str]; 22] = [
    &["prompt is too long"],
    &["input is too long for requested model"],
    &["number of input tokens exceeds maximum length"],
    &["exceeds the context window"],
    &["input token count", "exceeds the maximum"],
    &["maximum prompt length is"],
    &["reduce the length of the messages"],
    &["maximum context length"],
    &["longer than the model's context length"],
    &["prompt token count", "exceeds the limit of"],
    &["exceeds the available context size"],
    &["greater than the context length"],
    &["context window exceeds limit"],
    &["exceeded model token limit"],
    &["too large for model with", "maximum context length"],
    &["model_context_window_exceeded"],
    &["prompt too long", "context length"],
    &["context length exceeded"],
    &["context_length_exceeded"],
    &["exceed context limit"],
    &["too many tokens", "max tokens must be less"],
    &["too many tokens", "size limit exceeded"],
];

/// How services word the rest, in the order in which it is asked.
const WORDINGS: [(ErrorKind, &[&str]); 6] = [
    (
        ErrorKind::QuotaExceeded,
        &[
            "exceeded your current quota",
            "credit balance is too low",
            "insufficient balance",
            "insufficient credit",
            "insufficient quota",
            "requires more credits",
            "out of credits",
            "spend limit",
            "spending limit",
            "billing hard limit",
        ],
    ),
    (
        ErrorKind::Authentication,
        &[
            "incorrect api key",
            "invalid api key",
            "api key not valid",
            "invalid x-api-key",
            "no auth credentials found",
            "api key is required",
            "missing api key",
            "security token included in the request",
            "signature expired",
        ],
    ),
    (
        ErrorKind::NotFound,
        &[
            "is not a valid model id",
            "provided model identifier is invalid",
            "unknown model",
            "no endpoints found",
            "model not found",
            "model does not exist",
        ],
    ),
    (
        ErrorKind::Filtered,
        &["content management policy", "content policy", "usage policy", "flagged by our moderation"],
    ),
    (ErrorKind::Overloaded, &["overloaded", "currently at capacity", "server is busy"]),
    (ErrorKind::RateLimited, &["rate limit", "too many requests"]),
];

/// The kind of a refused call.
pub(super) fn refused(status: u16, complaint: &Complaint, message: &str, body: &str) -> ErrorKind {
    let by_status = ErrorKind::from_status(status);
    if holds_spent_quota(body) && matches!(status, 400 | 402 | 403 | 429) {
        return ErrorKind::QuotaExceeded;
    }
    let message = message.to_ascii_lowercase();
    if let Some(kind) = by_code(complaint, &CODES) {
        return if is_used_up(complaint, &message, body) { ErrorKind::QuotaExceeded } else { kind };
    }
    // A wording is believed where the status leaves it open.
    let is_open = matches!(
        by_status,
        ErrorKind::InvalidRequest
            | ErrorKind::Server
            | ErrorKind::TooLarge
            | ErrorKind::RateLimited
            | ErrorKind::Permission
            | ErrorKind::Protocol
            | ErrorKind::Overloaded
    );
    if !is_open {
        return by_status;
    }
    match by_message(&message) {
        // What a filter, a limit or an outage has stopped is none of the words in its explanation.
        Some(ErrorKind::QuotaExceeded) => ErrorKind::QuotaExceeded,
        Some(ErrorKind::Overloaded) if status == 429 => ErrorKind::Overloaded,
        Some(kind) if !matches!(by_status, ErrorKind::RateLimited | ErrorKind::Overloaded) => kind,
        _ => by_status,
    }
}

/// The kind of an error that was reported after a status of success.
pub(super) fn reported(complaint: &Complaint, message: &str) -> ErrorKind {
    if let Some(kind) = by_code(complaint, &CODES) {
        return kind;
    }
    let status = words(complaint).find_map(|word| word.parse::<u16>().ok());
    let by_status = status.filter(|status| (400..600).contains(status)).map(ErrorKind::from_status);
    let by_code = by_status.or_else(|| by_code(complaint, &GENERAL));
    match by_message(&message.to_ascii_lowercase()) {
        Some(kind) if matches!(by_code, None | Some(ErrorKind::InvalidRequest | ErrorKind::Server)) => kind,
        _ => by_code.unwrap_or(ErrorKind::Server),
    }
}

/// Google has one code for a rate and for a quota that is used up. A pause is told for the first alone, and the wording tells the second.
fn is_used_up(complaint: &Complaint, message: &str, body: &str) -> bool {
    let is_exhausted = words(complaint).any(|word| word == "resource_exhausted");
    let is_paused = body.contains("\"retryDelay\"");
    is_exhausted && !is_paused && by_message(message) == Some(ErrorKind::QuotaExceeded)
}

/// Whether a code, not only the wording, speaks of a used-up quota.
pub(super) fn is_quota(complaint: &Complaint, body: &str) -> bool {
    holds_spent_quota(body) || by_code(complaint, &CODES) == Some(ErrorKind::QuotaExceeded)
}

fn holds_spent_quota(body: &str) -> bool {
    DEEP.iter().any(|code| body.contains(code))
}

fn by_code(complaint: &Complaint, table: &[(ErrorKind, &[&str])]) -> Option<ErrorKind> {
    words(complaint).find_map(|word| {
        let row = table.iter().find(|(_, codes)| codes.contains(&&*word));
        row.map(|(kind, _)| *kind)
    })
}

/// Code and type, the more special one first.
fn words(complaint: &Complaint) -> impl Iterator<Item = String> {
    let given = [complaint.code.as_deref(), complaint.kind.as_deref()].into_iter().flatten();
    given.map(|word| word.trim().to_ascii_lowercase().replace(['-', ' ', '.'], "_"))
}

fn by_message(message: &str) -> Option<ErrorKind> {
    let holds = |words: &&[&str]| words.iter().all(|word| message.contains(word));
    let speaks_of_rate =
        ["per minute", "rate limit", "tokens per min"].iter().any(|word| message.contains(word));
    if !speaks_of_rate && OVERFLOW.iter().any(holds) {
        return Some(ErrorKind::ContextOverflow);
    }
    let found = WORDINGS.iter().find(|(_, wordings)| wordings.iter().any(|words| message.contains(words)));
    let is_model_missing = || message.contains("model") && message.contains("does not exist");
    found.map(|(kind, _)| *kind).or_else(|| is_model_missing().then_some(ErrorKind::NotFound))
}

//! Programs on this machine or in this house.

use super::row::{Row, row};
use crate::openai_chat::{EndUser, ReasoningDisplay, ReasoningEcho, ReasoningSwitch, RequiredWord};
use crate::provider::{Auth, Kind};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![ollama(), ollama_cloud(), lm_studio(), vllm(), llama_cpp()];
    rows.extend(others());
    rows
}

fn local(id: &'static str, name: &'static str) -> Row {
    row(Kind::Local, id, name).auth(Auth::NoneOrBearer)
}

fn ollama() -> Row {
    local("ollama", "Ollama")
        .root("http://localhost:11434")
        .chat("http://localhost:11434/v1")
        .recorded()
        .responses("http://localhost:11434/v1")
        .anthropic("http://localhost:11434")
        .recorded()
        .speaks_anthropic(super::families::like_claude_at_home)
        .keys(&["OLLAMA_API_KEY"])
        .base_url_env(&["OLLAMA_HOST", "OLLAMA_API_BASE"])
        .models_in("/api/tags", "models", "name")
        .speaks_chat(ollama_chat)
        .note("a context longer than num_ctx is cut without a word")
}

fn ollama_chat(chat: &mut crate::openai_chat::Dialect) {
    // The choice of a tool and fields it does not know are ignored in silence, which is why they are not sent.
    chat.tool_choice.none = false;
    chat.tool_choice.required = RequiredWord::Refused;
    chat.tool_choice.named = false;
    chat.strict = false;
    chat.parallel_tool_calls = false;
    chat.top_k = false;
    chat.end_user = EndUser::Refused;
    chat.reasoning_echo = ReasoningEcho::Reasoning;
}

fn ollama_cloud() -> Row {
    row(Kind::Host, "ollama-cloud", "Ollama Cloud")
        .root("https://ollama.com")
        .chat("https://ollama.com/v1")
        .recorded()
        .keys(&["OLLAMA_API_KEY"])
        .models_in("/api/tags", "models", "name")
        .speaks_chat(ollama_chat)
}

fn lm_studio() -> Row {
    local("lm-studio", "LM Studio")
        .aliases(&["lmstudio"])
        .root("http://localhost:1234/v1")
        .chat("http://localhost:1234/v1")
        .responses("http://localhost:1234/v1")
        .recorded()
        .anthropic("http://localhost:1234")
        .speaks_anthropic(super::families::like_claude_at_home)
        .keys(&["LM_STUDIO_API_KEY"])
        .base_url_env(&["LM_STUDIO_API_BASE"])
        .models("/models")
}

fn vllm() -> Row {
    local("vllm", "vLLM")
        .root("http://localhost:8000/v1")
        .chat("http://localhost:8000/v1")
        .recorded()
        .responses("http://localhost:8000/v1")
        .anthropic("http://localhost:8000")
        .speaks_anthropic(super::families::like_claude_at_home)
        .keys(&["VLLM_API_KEY", "HOSTED_VLLM_API_KEY"])
        .base_url_env(&["HOSTED_VLLM_API_BASE"])
        .models("/models")
        .speaks_chat(|chat| {
            chat.reasoning = ReasoningSwitch::ChatTemplateEnableThinking;
            chat.reasoning_display = ReasoningDisplay::IncludeReasoning;
            chat.video = true;
        })
}

fn llama_cpp() -> Row {
    local("llama-cpp", "llama.cpp server")
        .aliases(&["llamacpp", "llama.cpp"])
        .root("http://localhost:8080/v1")
        .chat("http://localhost:8080/v1")
        .recorded()
        .anthropic("http://localhost:8080")
        .responses("http://localhost:8080/v1")
        .recorded()
        .speaks_anthropic(super::families::like_claude_at_home)
        .keys(&["LLAMA_API_KEY"])
        .models("/models")
        .speaks_chat(|chat| chat.reasoning = ReasoningSwitch::ChatTemplateEnableThinking)
}

fn others() -> Vec<Row> {
    let plain = |id, name, base_url| local(id, name).chat(base_url).models("/models");
    vec![
        plain("sglang", "SGLang", "http://localhost:30000/v1")
            .speaks_chat(|chat| chat.reasoning = ReasoningSwitch::ChatTemplateEnableThinking)
            .unverified(),
        plain("tgi", "Text Generation Inference", "http://localhost:8080/v1").unverified(),
        plain("llamafile", "llamafile", "http://127.0.0.1:8080/v1")
            .auth(Auth::None)
            .keys(&["LLAMAFILE_API_KEY"])
            .base_url_env(&["LLAMAFILE_API_BASE"]),
        plain("docker-model-runner", "Docker Model Runner", "http://localhost:12434/engines/llama.cpp/v1")
            .auth(Auth::None)
            .base_url_env(&["DOCKER_MODEL_RUNNER_API_BASE"])
            .note("inside containers: http://model-runner.docker.internal/engines/llama.cpp/v1"),
        plain("lemonade", "Lemonade", "http://localhost:8000/api/v1")
            .auth(Auth::None)
            .keys(&["LEMONADE_API_KEY"])
            .base_url_env(&["LEMONADE_API_BASE"]),
        plain("xinference", "Xinference", "http://localhost:9997/v1").unverified(),
        plain("jan", "Jan", "http://localhost:1337/v1").unverified(),
    ]
}

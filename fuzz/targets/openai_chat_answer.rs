#![no_main]

use interlingua_wire::openai_chat::OpenaiChat;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    interlingua_fuzz::answer(&OpenaiChat::default(), "/chat/completions", data);
});

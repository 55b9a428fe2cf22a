#![no_main]

use interlingua_wire::anthropic::Anthropic;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    interlingua_fuzz::serve(&Anthropic::default(), "/v1/messages", data);
});

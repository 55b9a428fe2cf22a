#![no_main]

use interlingua_wire::openai_responses::OpenaiResponses;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    interlingua_fuzz::serve(&OpenaiResponses::default(), "/responses", data);
});

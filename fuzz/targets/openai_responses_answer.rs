#![no_main]

use interlingua_wire::openai_responses::OpenaiResponses;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    interlingua_fuzz::answer(&OpenaiResponses::default(), "/responses", data);
});

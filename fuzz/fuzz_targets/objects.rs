//! libFuzzer on `objects`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| p2pt_fuzz::targets::objects_message(data));

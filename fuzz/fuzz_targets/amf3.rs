//! libFuzzer on `amf3_value`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| p2pt_fuzz::targets::amf3_value(data));

//! libFuzzer on `groupspec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| p2pt_fuzz::targets::groupspec_text(data));

//! libFuzzer on `file_state`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| p2pt_fuzz::targets::state_of_fetch(data));

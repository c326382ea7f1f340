//! libFuzzer on `host_port`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| p2pt_fuzz::targets::host_and_port(data));

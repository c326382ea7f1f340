//! libFuzzer on `file_object`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| p2pt_fuzz::targets::object_of_file(data));

//! libFuzzer on `file_list`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| p2pt_fuzz::targets::list_of_files(data));

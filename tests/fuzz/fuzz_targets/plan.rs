//! Any bytes as a plan: the same reader as of capsules, from other seeds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use onsale_tests::parsing;

fuzz_target!(|text: &[u8]| {
    if text.len() <= parsing::LENGTH_MAX {
        parsing::capsule(text);
    }
});

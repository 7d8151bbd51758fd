#![doc = include_str!("../ARCHITECTURE.md")]

#[cfg(not(madsim))]
compile_error!(
    "onsale-sim needs the flag `--cfg madsim`, which .cargo/config.toml sets. An RUSTFLAGS variable in the \
     environment overrides that file: unset it, or add the flag to it: RUSTFLAGS=\"$RUSTFLAGS --cfg madsim\""
);

pub mod browsing;
pub mod capsule;
pub mod cli;
mod command;
pub mod crowd;
pub mod detection;
pub mod exit;
pub mod fault;
mod files;
pub mod fingerprint;
pub mod host;
pub mod invocation;
pub mod oracle;
pub mod plan;
pub mod progress;
pub mod run;
pub mod sabotage;
pub mod sample;
pub mod settings;
pub mod shrink;
pub mod signature;
pub mod story;
pub mod stream;
pub mod sweep;
pub mod terminal;
pub mod timer;
pub mod verify;
pub mod wall;
pub mod witness;
pub mod world;

#![doc = include_str!("../ARCHITECTURE.md")]

#[cfg(not(madsim))]
compile_error!(
    "onsale-sim needs the flag `--cfg madsim`, which .cargo/config.toml sets. An RUSTFLAGS variable in the \
     environment overrides that file: unset it, or add the flag to it: RUSTFLAGS=\"$RUSTFLAGS --cfg madsim\""
);

pub mod browsing;
mod clients;
pub mod crowd;
mod expand;
pub mod fault;
pub mod fingerprint;
pub mod host;
pub mod judges;
pub mod ledger;
pub mod plan;
pub mod run;
pub mod sabotage;
pub mod sample;
pub mod seen;
pub mod setup;
pub mod story;
pub mod stream;
pub mod struck;
pub mod wall;
pub mod witness;
pub mod world;

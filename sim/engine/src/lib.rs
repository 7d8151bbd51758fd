#![doc = include_str!("../ARCHITECTURE.md")]

#[cfg(not(madsim))]
compile_error!(
    "onsale-sim needs the flag `--cfg madsim`, which .cargo/config.toml sets. An RUSTFLAGS variable in the \
     environment overrides that file: unset it, or add the flag to it: RUSTFLAGS=\"$RUSTFLAGS --cfg madsim\""
);

pub mod allowance;
pub mod awaited;
pub mod browsing;
mod clients;
pub mod crowd;
pub mod doing;
pub mod fault;
pub mod judges;
pub mod plan;
pub mod plan_from_plan;
mod plan_from_seed;
pub mod replicated;
pub mod run;
pub mod sabotage;
mod sale;
pub mod seen;
pub mod solo;
pub mod story;
pub mod struck;
pub mod system;
pub mod wall;
pub mod witness;

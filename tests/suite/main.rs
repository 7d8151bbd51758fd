//! Every test that needs more than one package, in one binary.

mod broken;
mod catalogue;
mod check;
mod cli;
mod determinism;
mod faults;
mod golden;
mod scripted;
mod shrink;
mod story;
mod tidy;
mod unsafe_settings;

//! Every test that needs more than one package, in one binary.

mod broken;
mod catalogue;
mod check;
mod ci;
mod cli;
mod crowd;
mod determinism;
mod disks;
mod faults;
mod files;
mod gateways;
mod golden;
mod leader_placement;
mod moves;
mod narrow;
mod outages;
mod reference;
mod robust;
mod scripted;
mod settings;
mod shrink;
mod story;
mod tidy;
mod unsafe_settings;

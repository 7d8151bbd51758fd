#![doc = include_str!("../README.md")]

pub mod basis;
pub mod catalogue;
mod check;
mod defaults;
mod facts;
mod fault;
mod file;
pub mod hazard;
mod human;
mod limit;
mod locate;
mod problem;
mod ratio;
pub mod reading;
mod scale;
pub mod scenario;
mod timing;
pub mod trace;

pub use basis::{Assumption, Basis, assumptions};
pub use facts::{Facts, FactsSettings};
pub use fault::{
    ClockFault, Cut, DiskFault, Family, Fault, LASTS_LEAST, MembersFault, NetworkFault,
    ProcessFault, Swarm, Target, Trouble, What,
};
pub use hazard::{HAZARDS, Hazard, hazards, safe_twin};
pub use human::{Misread, SPAN_MAX, parse_span};
pub use limit::{Figure, Limit, Part, Wait};
pub use problem::{Problem, ScenarioError};
pub use ratio::Ratio;
pub use scale::Scale;
pub use scenario::{
    Arrivals, Cluster, Costs, Crowd, Disk, Gateway, GoodCopies, HealthCheck, Journal, Leads,
    LogNormal, MustFail, Network, Owner, PartitionBy, Sale, Scenario, Session, WaitingRoom,
};
pub use timing::Timing;

#![doc = include_str!("../README.md")]

mod assumptions;
mod basis;
pub mod catalogue;
mod check;
mod fault;
mod file;
mod form;
pub mod hazard;
mod human;
mod limit;
mod locate;
mod problem;
mod ratio;
pub mod reading;
mod reference;
mod replay;
mod scale;
pub mod scenario;
mod schema;
mod setting;
mod settings;
mod timing;
pub mod trace;
mod writing;
mod written;

pub use assumptions::{Assumption, assumptions};
pub use basis::Basis;
pub use fault::{
    ClockFault, Cut, DiskFault, Family, Fault, LASTS_LEAST, MembersFault, Moment, NetworkFault,
    ProcessFault, Rollback, Swarm, Target, Trouble, What, When, installations, majority,
};
pub use form::settings;
pub use hazard::{HAZARDS, Hazard, hazards, safe_twin};
pub use human::{Misread, SPAN_MAX, parse_span};
pub use limit::{Figure, Limit, Part, Wait};
pub use problem::{Problem, ScenarioError};
pub use ratio::Ratio;
pub use reference::reference;
pub use replay::Replay;
pub use scale::Scale;
pub use scenario::{MustFail, Scenario};
pub use schema::schema;
pub use setting::{Choice, Key, Kind, Milli, Section};
pub use settings::{
    Arrivals, Cluster, Costs, Crowd, Disk, Facts, FactsSettings, Gateway, GoodCopies, HealthCheck,
    Journal, Leader, LeaderPlacement, Manners, Membership, Network, Sale, Session, ShardBy, System,
    WaitingRoom,
};
pub use timing::{LogNormal, Timing};
pub use written::Written;

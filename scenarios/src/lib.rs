//! The scenario format of `onsale`, its validation, and the catalogue.

pub mod scenario;

pub use scenario::{
    Arrivals, Cluster, Costs, Crowd, Cut, Disk, Family, Fault, Gateway, LogNormal, Network, Ratio, Sale, Scenario, Session, Swarm,
    Target, WaitingRoom,
};

//! What a scenario says, validated, with every default filled in.
//!
//! Owns the parameters of a run, their units and bounds. Past this type nothing
//! validates again. Refuses to know how a file is read or how a run is made.

use std::collections::BTreeSet;

use onsale_booking::{Honours, NodeId, Orders, Repeats, ShowId, Span, ZoneId};
use onsale_cluster::{
    Acknowledge, DecidesOn, Deposed, Expiry, LeadsConfig, OnSuspicion, Overdue, Promises, Reads,
    Reckoning, Serves,
};
use serde::{Deserialize, Serialize};

use crate::facts::{Facts, FactsSettings};
use crate::fault::{Family, Fault, Swarm, Target};
use crate::file::ScenarioFile;
use crate::limit::Limit;
use crate::ratio::Ratio;
use crate::scale::Scale;
use crate::timing::Timing;
use crate::{defaults, human};

/// A whole scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ScenarioFile", into = "ScenarioFile")]
pub struct Scenario {
    /// Catalogue path without extension (`fast/crash`), or the file's path as given.
    pub id: String,
    /// One sentence that says what the scenario shows.
    pub title: String,
    /// How long the crowd acts: virtual time from the start to the last arrival's horizon.
    pub duration: Span,
    /// After the last fault everything heals; within this bound the run must be live again.
    pub calm: Span,
    /// Requests that leave one place for another within this span share a message. Zero: one message a request.
    pub quantum: Span,
    /// The booking cluster.
    pub cluster: Cluster,
    /// What is for sale.
    pub sale: Sale,
    /// Who comes.
    pub crowd: Crowd,
    /// Who reads and changes facts, if anybody does.
    pub facts: Option<Facts>,
    /// How messages travel.
    pub network: Network,
    /// How writes become durable.
    pub disk: Disk,
    /// What each kind of work costs a core.
    pub costs: Costs,
    /// Faults at fixed times.
    pub faults: Vec<Fault>,
    /// Faults drawn from the seed.
    pub swarm: Option<Swarm>,
    /// Oracles that must have been exercised, by name.
    pub must_exercise: Vec<String>,
    /// Limits on what people wait.
    pub limits: Vec<Limit>,
    /// Marks that must have been seen, by name.
    pub must_mark: Vec<String>,
    /// What is bound to break, if an unsafe setting is on.
    pub must_fail: Option<MustFail>,
    /// Which of the keys that have a default its file wrote all the same.
    pub written: Written,
}

/// Keys that a scenario's file wrote although they have a default that rests on something: what a person wrote is
/// chosen and not assumed, whatever its value. Decides nothing, so scenarios that differ in it alone are equal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Written(pub(crate) BTreeSet<String>);

impl Written {
    /// Whether none was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What is bound to break, and how soon it has to be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MustFail {
    /// The oracle that has to fail.
    pub oracle: String,
    /// In one of so many seeds, whichever the first is.
    pub within: u32,
}

/// The booking cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cluster {
    /// Booking nodes, numbered from 1. 3 to 99.
    pub nodes: u16,
    /// More nodes, numbered on, that are not of the cluster and may join it.
    pub spares: u16,
    /// Zones; node n stands in zone (n − 1) mod zones, numbered from 1.
    pub zones: u16,
    /// Shards.
    pub shards: u32,
    /// Which shows are sure to share a shard.
    pub partition_by: PartitionBy,
    /// Replicas of each shard's journal, in different zones; odd.
    pub replicas: u16,
    /// Cores a node.
    pub cores: u16,
    /// Pace of the node-level beats.
    #[serde(with = "human::span")]
    pub beat_every: Span,
    /// φ at which a silent peer is suspected.
    pub suspicion_phi: u32,
    /// Silence accepted beyond the mean interval before φ rises.
    #[serde(with = "human::span")]
    pub acceptable_pause: Span,
    /// Least standard deviation of the beat interval that the detector assumes.
    #[serde(with = "human::span")]
    pub min_std_deviation: Span,
    /// Pace of the clock of journals that are awake.
    #[serde(with = "human::span")]
    pub tick_every: Span,
    /// Ticks without a leader's word before an awake replica campaigns.
    pub election_ticks: u16,
    /// A shard's snapshot is taken after so many records.
    pub snapshot_every: u32,
    /// Records kept behind a snapshot so that brief absences need none.
    pub keep_records: u32,
    /// A write-ahead log segment is closed at this size in bytes.
    pub segment_bytes: u32,
    /// What a node does with a peer that has fallen silent.
    pub on_suspicion: OnSuspicion,
    /// When a node withdraws, and when it gives a peer up.
    pub membership: Membership,
    /// Where shards are led while nothing is wrong.
    pub leads: Leads,
    /// By how much the first node's clock is behind the last one's; those between are evenly
    /// apart.
    #[serde(with = "human::span")]
    pub clock_skew: Span,
    /// How journals are kept.
    pub journal: Journal,
    /// How an owner answers.
    pub owner: Owner,
    /// How a gateway treats requests.
    pub gateway: Gateway,
    /// How facts are kept.
    pub facts: FactsSettings,
}

/// Which shows are sure to share a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionBy {
    /// None.
    #[default]
    Show,
    /// Those of one event: simple, and as hot as the hottest event.
    Event,
}

impl Scenario {
    /// Whether nodes may come and go, so that somebody has to see to who carries what.
    pub fn changes_nodes(&self) -> bool {
        let leaves = |fault: &Fault| fault.family() == Family::Leave;
        self.cluster.spares > 0 || self.faults.iter().any(leaves)
    }

    /// The first spare that no fault of the list has join.
    pub fn spare_at_hand(&self) -> Option<Target> {
        let joins =
            |spare: &Target| self.faults.iter().any(|fault| fault.joining().contains(spare));
        let spares = self.cluster.nodes + 1..=self.cluster.numbers();
        spares.map(|number| Target::Node(NodeId(number))).find(|spare| !joins(spare))
    }
}

impl Cluster {
    /// The greatest number of a node, spare or not.
    pub const fn numbers(&self) -> u16 {
        self.nodes + self.spares
    }
}

/// When a node withdraws, and when it gives a peer up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Membership {
    /// So many nodes a node has to see, itself included; a majority of those who are of the
    /// cluster at the time, unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub static_quorum: Option<u16>,
    /// How long a split has to last before either side draws its conclusion.
    #[serde(with = "human::span")]
    pub stable_after: Span,
}

/// Where shards are led while nothing is wrong. Left out, a lead stays where an election or the map
/// has put it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Leads {
    /// Leads are drawn to the zones of `sale.venues`.
    pub near_venue: bool,
    /// Nodes give leads to others that have a good deal less to do.
    pub by_load: bool,
    /// How long a shard stays with an owner before it is given up for one of these reasons, and
    /// how long a node rests after it has given one up for its load.
    #[serde(with = "human::span")]
    pub rest: Span,
}

impl Leads {
    /// The same for the nodes.
    pub fn config(&self) -> LeadsConfig {
        let Self { near_venue, by_load, rest } = *self;
        LeadsConfig { near_venue, by_load, rest }
    }
}

/// How journals are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Journal {
    /// When a replica's votes and acknowledgements leave.
    pub promises: Promises,
}

/// How an owner answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Owner {
    /// When a change is told to the client.
    pub acknowledge: Acknowledge,
    /// When an answer that changes nothing is told.
    pub reads: Reads,
    /// Which state requests are decided on.
    pub decides_on: DecidesOn,
    /// When a new owner begins to serve.
    pub serves: Serves,
    /// What an owner does with open answers when its epoch is over.
    pub deposed: Deposed,
    /// What an owner takes the instants in the journal for.
    pub reckoning: Reckoning,
    /// What becomes of requests that have waited for more than a quarter of a gateway's patience.
    pub overdue: Overdue,
}

/// How a gateway treats requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Gateway {
    /// Attempts a request, the first included.
    pub tries: u8,
    /// Patience with one attempt.
    #[serde(with = "human::span")]
    pub try_timeout: Span,
    /// First backoff; attempt k waits a uniform draw from 0 to base × 2^k (full jitter).
    #[serde(with = "human::span")]
    pub backoff_base: Span,
    /// Longest backoff.
    #[serde(with = "human::span")]
    pub backoff_cap: Span,
    /// Retries allowed as a share of first attempts.
    pub retry_budget: Ratio,
    /// Requests in flight to one shard before the gateway answers "overloaded".
    pub in_flight_per_shard: u32,
}

/// What is for sale and under which rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sale {
    /// Shows, numbered from 0; show 0 is the hot one.
    pub shows: u32,
    /// Shows of each event; show 0 is of the first.
    pub shows_per_event: u32,
    /// Zones in which the venues stand, those of the events in turn: whoever wants a show asks the
    /// nodes in the zone of its venue first. None: people ask any node.
    pub venues: Vec<u16>,
    /// Sections of each show's hall.
    pub sections: u16,
    /// Rows of each section.
    pub rows: u16,
    /// Seats of each row. 1 to 64.
    pub seats_per_row: u16,
    /// Share of users who want the hot show; the others spread evenly over the rest.
    pub hot_share: Ratio,
    /// How long a hold lasts for the user.
    #[serde(with = "human::span")]
    pub hold: Span,
    /// How much longer the server keeps it.
    #[serde(with = "human::span")]
    pub grace: Span,
    /// Most seats a request; 1 to 10.
    pub seats_per_request: u8,
    /// What makes a hold end whose time and grace are over.
    pub expiry: Expiry,
    /// Pace of the job that ends holds, if there is one.
    #[serde(with = "human::span")]
    pub sweep_every: Span,
    /// How long before its time and grace are over the server ends a hold all the same.
    #[serde(with = "human::span")]
    pub early: Span,
    /// What a request repeated comes to.
    pub repeats: Repeats,
    /// Which holds a confirmation makes a booking.
    pub confirms: Honours,
    /// Which holds' seats a release frees.
    pub releases: Honours,
    /// Whether a wish is met as a whole or not at all.
    pub orders: Orders,
}

impl Sale {
    /// The zone in which the venue of a show stands, if it is said.
    pub fn venue(&self, show: u32) -> Option<u16> {
        if self.venues.is_empty() {
            return None;
        }
        let event = (show / self.shows_per_event) as usize;
        Some(self.venues[event % self.venues.len()])
    }

    /// Every show whose venue stands somewhere, with the zone.
    pub fn venues_of_shows(&self) -> impl Iterator<Item = (ShowId, ZoneId)> + '_ {
        (0..self.shows).filter_map(|show| Some((ShowId(show), ZoneId(self.venue(show)?))))
    }
}

/// Who comes, when, and how they behave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Crowd {
    /// How many people.
    pub users: u32,
    /// When they come.
    pub arrivals: Arrivals,
    /// The waiting room, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_room: Option<WaitingRoom>,
    /// What they do once inside.
    pub session: Session,
    /// How a gateway that does not answer is taken out of their choice.
    pub health_check: HealthCheck,
}

impl Crowd {
    /// One more than the greatest number of a person: they are numbered from 0, unless they are named.
    pub fn numbers(&self) -> u32 {
        match &self.arrivals {
            Arrivals::Named { people } => {
                people.iter().map(|&(_, number)| number + 1).max().unwrap_or_default()
            }
            Arrivals::Constant { .. }
            | Arrivals::Poisson { .. }
            | Arrivals::Ramp { .. }
            | Arrivals::Spike { .. }
            | Arrivals::OnSale { .. }
            | Arrivals::Trace { .. } => self.users,
        }
    }
}

/// When people come. Each shape is scaled to the number of users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Arrivals {
    /// The same rate for so long.
    Constant {
        /// From the start.
        #[serde(with = "human::span")]
        over: Span,
    },
    /// The same rate for so long, and nobody minds when others come: the gaps between two are exponential.
    Poisson {
        /// From the start.
        #[serde(with = "human::span")]
        over: Span,
    },
    /// From nothing to a peak at the end.
    Ramp {
        /// From the start.
        #[serde(with = "human::span")]
        over: Span,
    },
    /// A floor, and a spike that decays: λ(t) = λ∞ + λ0·e^(−(t−at)/decay) after `at`.
    Spike {
        /// From the start to the last arrival.
        #[serde(with = "human::span")]
        over: Span,
        /// When the spike comes.
        #[serde(with = "human::span")]
        at: Span,
        /// Time constant of the decay.
        #[serde(default = "defaults::decay", with = "human::span")]
        decay: Span,
        /// Share of users in the spike.
        #[serde(default = "defaults::spike_share")]
        share: Ratio,
    },
    /// People gather before the opening, the rest come after it in a decaying stream.
    OnSale {
        /// The opening.
        #[serde(with = "human::span")]
        opening: Span,
        /// From the start to the last arrival.
        #[serde(with = "human::span")]
        over: Span,
        /// Share of users who come before the opening.
        #[serde(default = "defaults::before")]
        before: Ratio,
        /// Share of those who, without a waiting room, press the button within `rush` of the opening.
        #[serde(default = "defaults::rush_share")]
        rush_share: Ratio,
        /// How long the rush lasts.
        #[serde(default = "defaults::rush", with = "human::span")]
        rush: Span,
        /// Time constant of the decay after the opening.
        #[serde(default = "defaults::decay", with = "human::span")]
        decay: Span,
    },
    /// A recorded curve.
    Trace {
        /// The file, relative to the scenario's.
        file: String,
        /// How many come of those that the trace counts; all, unless `crowd.users` says otherwise. A scenario that
        /// was read has the number in `crowd.users` and nothing here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scale: Option<Scale>,
        /// Its points: offset from the start, and arrivals from there to the next point.
        #[serde(default, with = "human::points")]
        points: Vec<(Span, u64)>,
    },
    /// These people and nobody else. What each of them wants hangs on the person's number alone, so
    /// that a few can be named out of a crowd and still be who they were in it.
    Named {
        /// When each comes, and the person's number.
        #[serde(with = "human::points")]
        people: Vec<(Span, u32)>,
    },
}

/// The waiting room: before the opening everybody waits and is shuffled at it; then first come, first served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct WaitingRoom {
    /// When the doors open.
    #[serde(with = "human::span")]
    pub opening: Span,
    /// People admitted a minute.
    pub release_per_minute: u32,
    /// Share of people who don't come when called.
    pub no_show: Ratio,
    /// How long a person waits at most before giving up.
    #[serde(with = "human::span")]
    pub patience: Span,
    /// How long a token admits its bearer.
    #[serde(with = "human::span")]
    pub token_valid: Span,
}

/// How the load balancer in front of the gateways finds out which of them answer. A check that is not answered
/// by the time of the next one has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealthCheck {
    /// From one check of a gateway to the next.
    #[serde(with = "human::span")]
    pub every: Span,
    /// So many checks in a row have to fail before clients are sent elsewhere.
    pub fall: u8,
    /// So many in a row have to be answered before they are sent there again.
    pub rise: u8,
}

/// A lognormal span.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// Half of all draws lie below.
    #[serde(with = "human::span")]
    pub median: Span,
    /// Standard deviation of the logarithm, in thousandths.
    #[serde(rename = "sigma", with = "human::milli")]
    pub sigma_milli: u32,
}

/// What a person does once inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Session {
    /// Looking at the seat map before the first request.
    pub pick_think: Timing,
    /// From the hold to the end of checkout.
    pub checkout_think: Timing,
    /// The payment provider's answer.
    pub payment: Timing,
    /// Share of payments approved.
    pub approval: Ratio,
    /// Share of held carts that are abandoned without a word.
    pub abandon: Ratio,
    /// Share of abandoners and declined who give the seats back.
    pub release: Ratio,
    /// Weights of group sizes 1, 2, 3 …; at most ten.
    pub group_weights: Vec<u32>,
    /// Share who take the best available; the rest pick seats on the map.
    pub best_available: Ratio,
    /// Share of groups of two and more who spread over two sections.
    pub split: Ratio,
    /// Skew of the desirability of seats (Zipf exponent), in thousandths.
    #[serde(rename = "zipf", with = "human::milli")]
    pub zipf_milli: u32,
    /// A client's patience with one attempt.
    #[serde(with = "human::span")]
    pub request_timeout: Span,
    /// Attempts with one request before the client gives it up.
    pub tries: u8,
    /// First backoff between attempts (full jitter).
    #[serde(with = "human::span")]
    pub backoff_base: Span,
    /// Longest backoff between attempts.
    #[serde(with = "human::span")]
    pub backoff_cap: Span,
    /// Fresh requests after a refusal before a person gives up.
    pub refreshes: u8,
    /// Shortest pause before a fresh request.
    #[serde(with = "human::span")]
    pub refresh_min: Span,
    /// Longest pause before a fresh request.
    #[serde(with = "human::span")]
    pub refresh_max: Span,
}

/// How messages travel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// One way between nodes of one zone.
    pub within_zone: Timing,
    /// One way between nodes of two zones.
    pub between_zones: Timing,
    /// One way between clients and nodes.
    pub client: Timing,
    /// Uniform jitter on top, as a share of the latency.
    pub jitter: Ratio,
    /// Share of messages in the tail.
    pub tail: Ratio,
    /// How many times longer those take.
    pub tail_factor: u32,
    /// Share of messages lost.
    pub loss: Ratio,
    /// Share of messages delivered twice.
    pub duplicate: Ratio,
    /// Share of messages that others on the same link may overtake.
    pub reorder: Ratio,
}

/// How writes become durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Disk {
    /// An append with its fsync, but for the bytes.
    pub fsync: Timing,
    /// Uniform jitter on top, as a share of it.
    pub jitter: Ratio,
    /// Share of fsyncs in the tail.
    pub tail: Ratio,
    /// How many times longer those take.
    pub tail_factor: u32,
    /// Bandwidth in MiB a second.
    pub mib_per_s: u32,
    /// How long what was acknowledged as durable stays in a volatile cache, and is lost in a
    /// crash; zero for a disk that keeps its word.
    #[serde(with = "human::span")]
    pub write_back: Span,
    /// What faults that damage disks leave each shard.
    pub good_copies: GoodCopies,
}

/// What faults that damage disks leave each shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoodCopies {
    /// A majority of good copies of every record: a strike that would be one too many spares its disk.
    #[default]
    Majority,
    /// Whatever chance leaves: disks fail faster than replicas are repaired.
    Any,
}

/// CPU time of each kind of work, on one core. What costs nothing waits for no core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Costs {
    /// A gateway takes in a request and routes it, or a node a question about facts.
    pub route: Timing,
    /// A gateway hands back a reply; as much as `route`, unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Timing>,
    /// An owner decides a command.
    pub decide: Timing,
    /// A node takes in one journal message.
    pub journal_message: Timing,
    /// A node takes in a beat.
    pub beat: Timing,
    /// A node learns that a write is durable and applies what that commits.
    pub persisted: Timing,
    /// A node starts: reading its log back, a MiB.
    pub recover_mib: Timing,
}

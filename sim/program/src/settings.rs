//! Generated scenarios: one a seed, with settings drawn from their whole ranges.
//!
//! Draws every setting that a file may have, so that oracles and reports cannot rely on usual values. Owns which
//! settings must fit each other; `table` derives the range of each from its declaration. Leaves unsafe values to
//! the scenarios that are expected to fail, and limits sizes to runs shorter than minutes. Refuses to judge: a
//! drawn scenario says in `calm` how soon it can be live again with its settings, so no verdict on a wait needs
//! an exception.

mod table;

use std::fmt::Write as _;
use std::io;

use onsale_booking::{Draw, Span};
use onsale_scenarios::{Family, Ratio, Scenario, ScenarioError, Timing};
use onsale_world::stream::fork;

use self::table::Values::{
    AtDefault, LogNormal, Micros, Named, Number, Of, Share, Thousandths, Together,
};
use self::table::{MINUTE, SECOND, TABLE, Values};

/// The name of generated scenarios: `onsale run settings --seed 7`.
pub const SETTINGS: &str = "settings";

/// Most draws until a scenario is valid; about half of them are.
const DRAWS_MAX: u64 = 1_000;

/// The generated scenario of a seed.
///
/// # Panics
/// If none of very many draws is valid, which means that the table has a mistake.
pub fn drawn(seed: u64) -> Scenario {
    let draws =
        (0..DRAWS_MAX).map(|draw| written(&mut Draw::new(fork(seed, &format!("settings/{draw}")))));
    let sound = draws.filter_map(|text| read(&text).ok()).next();
    let mut scenario = sound.unwrap_or_else(|| panic!("no draw of seed {seed} is sound"));
    scenario.calm = calm_of(&scenario);
    scenario
}

fn read(text: &str) -> Result<Scenario, ScenarioError> {
    let nothing = |_: &str| Err(io::Error::from(io::ErrorKind::NotFound));
    Scenario::from_toml(SETTINGS, "settings.toml", text.as_bytes(), &nothing)
}

const TAKES: &str = "a string takes what is written to it";

/// Faults strike and heal before this time, in seconds.
const FAULTS_END_S: u64 = 70;
/// Duration of the run in seconds, long enough after the faults to see whether it is live again.
const DURATION_S: u64 = 140;

/// A scenario with values drawn at random.
fn written(draw: &mut Draw) -> String {
    let fitting = Fitting::drawn(draw);
    // Some scenarios have nearly all settings at their defaults, and some hardly any.
    let one_in = [1, 3, 10][draw.below(3) as usize];
    let mut text = String::new();
    for (section, settings) in &*TABLE {
        let may_be_left_out =
            ["facts", "crowd.waiting-room", "crowd.manners"].contains(&section.as_str());
        if may_be_left_out && draw.below(2) == 0 {
            continue;
        }
        if !section.is_empty() {
            writeln!(text, "[{section}]").expect(TAKES);
        }
        for (key, values) in settings {
            let value = match values {
                Together => fitting.value(draw, section, key),
                AtDefault => None,
                Of(_) | Named(_) | Number(..) | Thousandths(..) | Micros(..) | Share
                | LogNormal(_) => (draw.below(one_in) == 0).then(|| pick(draw, values)),
            };
            if let Some(value) = value {
                writeln!(text, "{key} = {value}").expect(TAKES);
            }
        }
    }
    text + &fitting.faults()
}

/// A value as written in a file.
fn pick(draw: &mut Draw, values: &Values) -> String {
    match *values {
        Of(words) => words[draw.below(words.len() as u64) as usize].to_owned(),
        Named(ref names) => names[draw.below(names.len() as u64) as usize].clone(),
        Thousandths(least, most) => {
            let number = number(draw, least, most);
            format!("{}.{:03}", number / 1_000, number % 1_000)
        }
        Number(least, most) => number(draw, least, most).to_string(),
        Micros(least, most) => format!("\"{}us\"", number(draw, least, most)),
        Share => match draw.below(4) {
            0 => "\"0%\"".to_owned(),
            1 => "\"100%\"".to_owned(),
            _ => format!("\"{}/1000\"", draw.below(1_001)),
        },
        LogNormal(most) => {
            let (median, sigma) = (number(draw, 1, most), ["0.0", "0.5", "1.5", "4.0"]);
            let sigma = sigma[draw.below(sigma.len() as u64) as usize];
            format!("{{ median = \"{median}us\", sigma = {sigma} }}")
        }
        Together | AtDefault => unreachable!("they are not drawn alone"),
    }
}

/// A number between the two, both included: uniform, or uniform over orders of magnitude.
fn number(draw: &mut Draw, least: u64, most: u64) -> u64 {
    match draw.below(8) {
        0 => least,
        1 => most,
        _ => {
            let bits = u64::BITS - (most - least).leading_zeros();
            let below = 1 << draw.below(u64::from(bits) + 1);
            (least + draw.below(below)).min(most)
        }
    }
}

/// Settings that must fit each other.
struct Fitting {
    nodes: u64,
    zones: u64,
    replicas: u64,
    spares: u64,
    opening: u64,
    arrivals: &'static str,
    joins: u64,
    leaves: u64,
}

impl Fitting {
    fn drawn(draw: &mut Draw) -> Self {
        let nodes = number(draw, 3, 12);
        let zones = number(draw, 1, nodes.min(5));
        Self {
            nodes,
            zones,
            // Odd, and at most one in each zone.
            replicas: 1 + 2 * draw.below(zones.div_ceil(2)),
            spares: if draw.below(2) == 0 { 0 } else { 1 + draw.below(3) },
            opening: 1 + draw.below(30),
            arrivals: ["constant", "poisson", "ramp", "spike", "on-sale"][draw.below(5) as usize],
            joins: 2 + draw.below(40),
            leaves: 2 + draw.below(40),
        }
    }

    fn value(&self, draw: &mut Draw, section: &str, key: &str) -> Option<String> {
        let seconds = |seconds: u64| format!("\"{seconds}s\"");
        let over = DURATION_S - 20;
        let value = match (section, key) {
            ("", "title") => "\"Drawn from all over the settings' ranges\"".to_owned(),
            ("", "duration") => seconds(DURATION_S),
            // The needs of the other settings are known once all are drawn.
            ("", "calm") | ("facts", "agree-within") => seconds(60),
            ("cluster", "nodes") => self.nodes.to_string(),
            ("cluster", "zones") => self.zones.to_string(),
            ("cluster", "replicas") => self.replicas.to_string(),
            ("cluster", "spares") => self.spares.to_string(),
            ("cluster.membership", "static-quorum") => {
                let least = (self.nodes + self.spares) / 2 + 1;
                let is_set = least <= self.nodes && draw.below(4) == 0;
                return is_set.then(|| (least + draw.below(self.nodes - least + 1)).to_string());
            }
            ("sale", "venues") => {
                let venues = (0..draw.below(4)).map(|_| 1 + draw.below(self.zones));
                format!("{:?}", venues.collect::<Vec<_>>())
            }
            ("crowd.waiting-room", "opening") => seconds(self.opening),
            ("crowd.arrivals", kind) if kind != self.arrivals => return None,
            ("crowd.arrivals", "constant" | "poisson" | "ramp") => {
                format!("{{ over = \"{over}s\" }}")
            }
            ("crowd.arrivals", "spike") => format!(
                "{{ over = \"{over}s\", at = \"{}s\", decay = \"{}us\", share = {} }}",
                draw.below(over),
                number(draw, 1, MINUTE),
                pick(draw, &Share)
            ),
            ("crowd.arrivals", "on-sale") => format!(
                "{{ over = \"{over}s\", opening = \"{}s\", before = {}, rush-share = {}, \
                 rush = \"{}us\", decay = \"{}us\" }}",
                self.opening,
                pick(draw, &Share),
                pick(draw, &Share),
                number(draw, 1, 30 * SECOND),
                number(draw, 1, MINUTE)
            ),
            ("facts", "from") => seconds(1),
            ("facts", "until") => seconds(DURATION_S - 5),
            ("swarm", "families") => {
                let families = Family::ALL.iter().filter(|_| draw.below(3) == 0);
                let mut names: Vec<_> = families.map(|family| family.name()).collect();
                if names.is_empty() {
                    names.push(Family::Crash.name());
                }
                format!("{names:?}")
            }
            ("swarm", "faults") => format!("[0, {}]", 1 + draw.below(8)),
            ("swarm", "from") => seconds(2),
            ("swarm", "until") => seconds(FAULTS_END_S),
            ("swarm", "lasts") => "[\"1ms\", \"8s\"]".to_owned(),
            (section, key) => unreachable!("{section}.{key} fits nothing"),
        };
        Some(value)
    }

    /// One node joins and one leaves, if there are spares.
    fn faults(&self) -> String {
        if self.spares == 0 {
            return String::new();
        }
        format!(
            "[[fault]]\njoin = {{ at = \"{}s\", lasts = \"9s\", nodes = [\"n{}\"] }}\n\
             [[fault]]\nleave = {{ at = \"{}s\", lasts = \"9s\", nodes = [\"n1\"] }}\n",
            self.joins,
            self.nodes + 1,
            self.leaves
        )
    }
}

/// How soon a drawn scenario can be live again: a minute, or twice the sum of all its waits, if that is longer.
/// If a core may be overloaded, or elections may not settle, nothing has to be live before the end of the run.
fn calm_of(scenario: &Scenario) -> Span {
    if may_be_overloaded(scenario) || may_never_elect(scenario) {
        return scenario.duration;
    }
    let (cluster, session) = (&scenario.cluster, &scenario.crowd.session);
    let election = cluster.tick_every.0 * u64::from(cluster.election_ticks) * 2;
    let suspicion =
        cluster.acceptable_pause.0 + cluster.beat_every.0 + 25 * cluster.min_std_deviation.0;
    let client = session.request_timeout.0 + session.backoff_cap.0;
    let gateway = cluster.gateway.try_timeout.0 + cluster.gateway.backoff_cap.0;
    let facts = cluster.facts.repair_every.0 + cluster.facts.patience.0;
    let waits = election + suspicion + client + gateway + facts + cluster.membership.stable_after.0;
    Span((20 * SECOND + 2 * waits).max(MINUTE))
}

/// Whether heartbeats, or a burst of requests, may take more CPU time than there is, as far as the draws tell.
fn may_be_overloaded(scenario: &Scenario) -> bool {
    let (cluster, costs) = (&scenario.cluster, &scenario.costs);
    let micros = |cost: &Timing| cost.typical().0;
    let beats = costs.beat.typical().0 * u64::from(cluster.numbers());
    let request = micros(&costs.route)
        + micros(&costs.decide)
        + 4 * (micros(&costs.journal_message) + micros(&costs.persisted))
        + costs.reply.as_ref().map_or(0, micros);
    let users = u64::from(scenario.crowd.users);
    4 * beats > cluster.beat_every.0 || request * users > SECOND
}

/// Whether other replicas may stand for election while a vote is still on its way there, being written, and on
/// its way back. Seed 38 drew 10 ms without a leader, and 195 ms between zones.
fn may_never_elect(scenario: &Scenario) -> bool {
    let (cluster, network, disk) = (&scenario.cluster, &scenario.network, &scenario.disk);
    let slowest = |least: &Timing, jitter: Ratio, tail: Ratio, factor: u32| {
        let least = least.typical();
        let factor = if tail.is_never() { 1 } else { u64::from(factor) };
        (least.0 + jitter.of(least.0)) * factor
    };
    let way = |least| slowest(least, network.jitter, network.tail, network.tail_factor);
    let way = way(&network.between_zones).max(way(&network.within_zone));
    let write = slowest(&disk.fsync, disk.jitter, disk.tail, disk.tail_factor);
    cluster.tick_every.0 * u64::from(cluster.election_ticks) <= 2 * (way + write)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use onsale_scenarios::hazards;

    use super::*;

    /// Every setting is drawn, except those listed in `table` as never drawn.
    #[test]
    fn no_setting_is_left_out() {
        let mut left = BTreeSet::new();
        for (section, keys) in &*TABLE {
            let drawn = keys.iter().filter(|(_, values)| !matches!(values, AtDefault));
            left.extend(drawn.map(|(key, _)| (section.clone(), (*key).to_owned())));
        }
        assert!(left.len() > 100, "{} settings are drawn", left.len());
        for seed in 0..200 {
            let mut section = String::new();
            for line in written(&mut Draw::new(seed)).lines() {
                if let Some(name) = line.strip_prefix('[') {
                    name.trim_end_matches(']').clone_into(&mut section);
                } else if let Some((key, _)) = line.split_once(" = ") {
                    left.remove(&(section.clone(), key.to_owned()));
                }
            }
        }
        assert!(left.is_empty(), "{left:?} are never drawn");
    }

    #[test]
    fn a_seed_draws_one_sound_and_safe_scenario() {
        let mut kinds = BTreeSet::new();
        for seed in 0..200 {
            let scenario = drawn(seed);
            assert_eq!(scenario, drawn(seed));
            assert_eq!(hazards(&scenario), [], "seed {seed}");
            let fixed = onsale_sim::plan::Plan::new(&scenario, seed);
            assert!(fixed.check().is_ok(), "seed {seed}: {:?}", fixed.check());
            kinds.insert(scenario.to_toml());
        }
        assert_eq!(kinds.len(), 200);
    }
}

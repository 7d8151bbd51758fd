//! Faults of clocks.
//!
//! Owns how they strike, heal and are drawn. Refuses to know how a clock runs.

use onsale_booking::Span;
use onsale_scenarios::{ClockFault, Family, Fault, Ratio, Scenario, What};
use onsale_world::place::Place;
use onsale_world::stream::below;

use super::swarm::Draw;
use super::{Faults, Strike};
use crate::system::{System, World};

/// State that a clock fault must undo.
#[derive(Debug, Default)]
pub(super) struct Force {
    /// The node whose clock is wrong.
    wrong: Option<Place>,
}

impl<S: System> Faults<'_, S> {
    pub(super) fn strike_clock(&self, strike: &mut Strike<'_, S>, fault: &ClockFault) -> String {
        let (ClockFault::ClockDrift { node, .. } | ClockFault::ClockJump { node, .. }) = fault;
        let (index, now) = (strike.index, strike.world.now);
        let victim = self.victim(strike.world, *node);
        let name = self.name(strike.world, victim);
        strike.force.clock.wrong = Some(victim);
        let clock = &mut strike.world.machine(victim).clock;
        match fault {
            ClockFault::ClockDrift { by, slow, .. } => {
                clock.drift(now, index, *by, *slow);
                let way = if *slow { "loses" } else { "gains" };
                format!("clock of {name} {way} {by}")
            }
            ClockFault::ClockJump { by, back, .. } => {
                clock.jump(index, *by, *back);
                let way = if *back { "back" } else { "ahead" };
                format!("wall clock of {name} set {way} by {by}")
            }
        }
    }
}

impl Force {
    pub(super) fn heal<S: System>(self, world: &mut World<S>, index: usize) {
        let now = world.now;
        self.wrong.into_iter().for_each(|place| world.machine(place).clock.put_right(now, index));
    }
}

/// Draws a fault, if the family is one of these.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other families are of other groups")]
pub(super) fn draw(family: Family, draw: &mut Draw<'_>) -> Option<ClockFault> {
    let node = draw.target;
    Some(match family {
        Family::ClockDrift => {
            let by = Ratio { num: drift_ppm(draw.scenario, draw.strength), den: 1_000_000 };
            ClockFault::ClockDrift { node, by, slow: draw.stream.below(2) == 0 }
        }
        Family::ClockJump => {
            // One millisecond to about an hour, log-uniform.
            let by = Span::from_millis(1 + (draw.stream.draw() >> (42 + below(draw.strength, 22))));
            ClockFault::ClockJump { node, by, back: draw.stream.below(2) == 0 }
        }
        _ => return None,
    })
}

/// Shortens drawn jumps until these faults and the others of a plan put clocks wrong by no more than `most`, all together:
/// each by an equal share of what the others leave. A jump is a millisecond at least.
pub(crate) fn shorten_jumps(drawn: &mut [Fault], others: Span, most: Span) {
    let mut jumps = Vec::new();
    let mut left = most - others;
    for fault in drawn {
        let lasts = fault.lasts;
        let What::Clock(clock) = &mut fault.what else { continue };
        match clock {
            ClockFault::ClockJump { by, .. } => jumps.push(by),
            ClockFault::ClockDrift { by, .. } => left = left - Span(by.of(lasts.0)),
        }
    }
    let share = Span(left.0 / jumps.len().max(1) as u64).max(Span::from_millis(1));
    jumps.into_iter().for_each(|by| *by = share.min(*by));
}

/// Drift of a clock in parts per million, log-uniform. The bound keeps clients' timers safe under three
/// such drifts of one clock.
fn drift_ppm(scenario: &Scenario, strength: u64) -> u32 {
    let (hold, grace) = (scenario.sale.hold, scenario.sale.grace);
    let most = u128::from(grace.0) * 4 / 5 * 1_000_000 / u128::from((hold + grace).0) / 3;
    ((most as u64) >> below(strength, 8)).clamp(1, 500_000) as u32
}

#[cfg(test)]
mod tests {
    use onsale_scenarios::Target;

    use super::*;

    #[test]
    fn drawn_jumps_share_what_other_faults_leave() {
        let jump = |secs| {
            let (node, by) = (Target::Leader, Span::from_secs(secs));
            Fault::new(
                Span::ZERO,
                Span::from_secs(10),
                ClockFault::ClockJump { node, by, back: false },
            )
        };
        let shortened = |most: u64| {
            let by = Ratio { num: 1, den: 10 };
            let drift = ClockFault::ClockDrift { node: Target::Leader, by, slow: false };
            let drift = Fault::new(Span::ZERO, Span::from_secs(10), drift);
            let mut drawn = [jump(2), drift, jump(3_600), jump(30)];
            shorten_jumps(&mut drawn, Span::from_secs(3), Span::from_secs(most));
            let wrong = |fault: &Fault| {
                let What::Clock(clock) = &fault.what else { panic!("a clock's") };
                clock.wrong_by(fault.lasts).0 / 1_000
            };
            drawn.iter().map(wrong).collect::<Vec<_>>()
        };
        assert_eq!(shortened(34), [2_000, 1_000, 10_000, 10_000]);
        assert_eq!(shortened(20_000), [2_000, 1_000, 3_600_000, 30_000]);
        assert_eq!(shortened(0), [1, 1_000, 1, 1], "a jump is one");
    }
}

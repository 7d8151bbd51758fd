//! People with plainer habits: everybody alike, quick, and decided.
//!
//! Owns which habits of a session are plainer than others. Refuses to know how people act on them.

use onsale_booking::Span;
use onsale_scenarios::{Manners, Ratio, Session, Timing};
use onsale_sim::crowd::taste::Taste;
use onsale_sim::plan::Plan;

use super::people::{list, with};
use super::{Dial, one, readable};

/// Shortest think time: nobody needs to be quicker.
const THINK_LEAST: Span = Span::from_millis(100);

/// A share of the people with some habit, and the plainer value: all of them, or none.
type Share = (fn(&mut Session) -> &mut Ratio, Ratio);

const SHARES: [Share; 5] = [
    (|session| &mut session.split, Ratio::NEVER),
    (|session| &mut session.best_available, Ratio::ALWAYS),
    (|session| &mut session.approval, Ratio::ALWAYS),
    (|session| &mut session.abandon, Ratio::NEVER),
    (|session| &mut session.release, Ratio::NEVER),
];

/// The shares of people with each bad habit, and of shows that go quiet.
const MANNERS: [fn(&mut Manners) -> &mut Ratio; 10] = [
    |manners| &mut manners.names_others,
    |manners| &mut manners.names_nothing,
    |manners| &mut manners.asks_too_much,
    |manners| &mut manners.names_twice,
    |manners| &mut manners.double_clicks,
    |manners| &mut manners.pays_twice,
    |manners| &mut manners.releases_twice,
    |manners| &mut manners.pays_released,
    |manners| &mut manners.stale_retries,
    |manners| &mut manners.quiet_shows,
];

const THOUGHTS: [fn(&mut Session) -> &mut Timing; 3] = [
    |session| &mut session.pick_think,
    |session| &mut session.checkout_think,
    |session| &mut session.payment,
];

/// People who ask as soon as they arrive, at the instant at which they asked before.
pub(super) fn prompt(plan: &Plan) -> Vec<Plan> {
    let session = &plan.scenario.crowd.session;
    let at_once = Timing::Constant(THINK_LEAST);
    let Some(people) = list(plan).filter(|_| plan.scenario.crowd.waiting_room.is_none()) else {
        return Vec::new();
    };
    if session.pick_think == at_once {
        return Vec::new();
    }
    let thinks = |user| {
        let taste = Taste::new(plan.stream("demand"), user, &plan.scenario.sale, session);
        taste.pick_think()
    };
    let later = people.iter().map(|&(at, user)| (at + thinks(user) - THINK_LEAST, user));
    let mut prompt = with(plan, later.filter(|&(at, _)| at <= plan.scenario.duration).collect());
    prompt.scenario.crowd.session.pick_think = at_once;
    vec![prompt]
}

/// The plan with plainer habits: all at once, then one by one.
pub(super) fn simpler(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut add = |change: &dyn Fn(&mut Plan)| {
        let mut changed = plan.clone();
        change(&mut changed);
        plans.push(changed);
    };
    add(&|plan| {
        let session = &mut plan.scenario.crowd.session;
        SHARES.iter().for_each(|(share, plain)| settle(share(session), *plain));
        THOUGHTS.iter().for_each(|thought| always(thought(session)));
    });
    add(&|plan| plan.scenario.crowd.waiting_room = None);
    add(&|plan| plan.scenario.crowd.manners = None);
    for share in MANNERS {
        add(&|plan| {
            let manners = &mut plan.scenario.crowd.manners;
            manners.iter_mut().for_each(|manners| *share(manners) = Ratio::NEVER);
        });
    }
    for (share, plain) in SHARES {
        let other = if plain.is_never() { Ratio::ALWAYS } else { Ratio::NEVER };
        for settled in [plain, other] {
            add(&|plan| settle(share(&mut plan.scenario.crowd.session), settled));
        }
    }
    for thought in THOUGHTS {
        add(&|plan| always(thought(&mut plan.scenario.crowd.session)));
    }
    for share in [Ratio::ALWAYS, Ratio::NEVER] {
        add(&|plan| settle(&mut plan.scenario.sale.hot_share, share));
    }
    for size in 1..=largest_group(plan) {
        add(&|plan| {
            let weights = &mut plan.scenario.crowd.session.group_weights;
            *weights = vec![0; size];
            weights[size - 1] = 1;
        });
    }
    plans
}

/// Varying durations become their typical value.
fn always(thought: &mut Timing) {
    *thought = Timing::Constant(thought.typical());
}

/// A share that is neither all nor none becomes one of them.
fn settle(share: &mut Ratio, settled: Ratio) {
    if !share.is_never() && *share != Ratio::ALWAYS {
        *share = settled;
    }
}

/// The largest group size that is plainer: smaller than the current one, or the only one.
fn largest_group(plan: &Plan) -> usize {
    let weights = &plan.scenario.crowd.session.group_weights;
    let come = weights.iter().filter(|&&weight| weight > 0).count();
    let largest = weights.iter().rposition(|&weight| weight > 0).map_or(0, |place| place + 1);
    if come > 1 { largest } else { largest.saturating_sub(1) }
}

/// The reducible numbers of people's behaviour.
pub(super) fn dials() -> Vec<Dial> {
    let thoughts = THOUGHTS.map(|thought| {
        Dial::new(
            THINK_LEAST.0,
            readable,
            move |plan| thought(&mut plan.scenario.crowd.session.clone()).typical().0,
            move |plan, typical| {
                thought(&mut plan.scenario.crowd.session).set_typical(Span(typical));
            },
        )
    });
    let refreshes = Dial::new(
        0,
        one,
        |plan| plan.scenario.crowd.session.refreshes.into(),
        |plan, refreshes| plan.scenario.crowd.session.refreshes = refreshes as u8,
    );
    let tries = Dial::new(
        1,
        one,
        |plan| plan.scenario.crowd.session.tries.into(),
        |plan, tries| plan.scenario.crowd.session.tries = tries as u8,
    );
    thoughts.into_iter().chain([refreshes, tries]).collect()
}

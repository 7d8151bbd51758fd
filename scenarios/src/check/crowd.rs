//! Validation of a crowd.
//!
//! Owns the rules between people, the waiting room and the sale. Refuses to know when people come.

use onsale_booking::Span;

use super::Checks;
use crate::settings::{Arrivals, Crowd, Manners, Sale, Session, WaitingRoom};

/// Most refreshes where people have bad manners: a person's first 127 requests are those of a session.
const REFRESHES_MAX: u8 = 100;

impl Checks {
    pub(super) fn crowd(&mut self, crowd: &Crowd, sale: &Sale, duration: Span) {
        if let Arrivals::Named { people } = &crowd.arrivals {
            let (named, users) = (people.len(), crowd.users);
            let agree = named == users as usize || users == 0;
            let field = "crowd.arrivals.named.people";
            self.that_both(agree, "crowd.users", field, || {
                (
                    format!("{named} people are named, but {users} are to come"),
                    format!("write `users = {named}`"),
                )
            });
        }
        self.arrivals(&crowd.arrivals, duration);
        if let Some(room) = &crowd.waiting_room {
            self.waiting_room(room, &crowd.arrivals, duration);
        }
        self.session(&crowd.session, sale);
        if let Some(manners) = &crowd.manners {
            self.manners(manners, &crowd.session);
        }
    }

    fn manners(&mut self, manners: &Manners, session: &Session) {
        self.ordered(
            "crowd.manners",
            ("quiet-from", manners.quiet_from),
            ("quiet-by", manners.quiet_by),
        );
        self.that_both(
            session.refreshes <= REFRESHES_MAX,
            "crowd.session.refreshes",
            "crowd.manners",
            || {
                let what = format!("{} refreshes of people with bad manners", session.refreshes);
                (what, format!("let them refresh {REFRESHES_MAX} times at most"))
            },
        );
    }

    fn waiting_room(&mut self, room: &WaitingRoom, arrivals: &Arrivals, duration: Span) {
        let field = "crowd.waiting-room.opening";
        match arrivals {
            Arrivals::OnSale { opening, .. } => self.that_both(
                room.opening == *opening,
                field,
                "crowd.arrivals.on-sale.opening",
                || {
                    let what = format!(
                        "the doors open at {}, but the crowd comes for {opening}",
                        room.opening
                    );
                    (what, format!("write `opening = \"{opening}\"` in both places"))
                },
            ),
            Arrivals::Constant { .. }
            | Arrivals::Poisson { .. }
            | Arrivals::Ramp { .. }
            | Arrivals::Spike { .. }
            | Arrivals::Trace { .. }
            | Arrivals::Named { .. } => {
                self.before(field, room.opening, duration, "the end of the run");
            }
        }
    }

    fn session(&mut self, session: &Session, sale: &Sale) {
        let groups = &session.group_weights;
        let weight: u64 = groups.iter().map(|weight| u64::from(*weight)).sum();
        let field = "crowd.session.group-weights";
        self.that(weight > 0, field, || {
            (
                "nobody comes in a group of any size".into(),
                "give a weight to groups of 1, 2, 3 …: `[20, 50, 10, 20]`".into(),
            )
        });
        self.that(weight <= u64::from(u32::MAX), field, || {
            (
                format!("the weights add up to {weight}"),
                "use smaller weights: only their proportions matter".into(),
            )
        });
        let largest = groups.iter().rposition(|weight| *weight > 0).map_or(0, |index| index + 1);
        self.that_both(
            largest <= usize::from(sale.seats_per_request),
            field,
            "sale.seats-per-request",
            || {
                let limit = sale.seats_per_request;
                let what =
                    format!("groups of {largest} come, but a request is for {limit} seats at most");
                (what, format!("give at most {limit} weights, or raise `sale.seats-per-request`"))
            },
        );
        self.that(groups.len() <= 10, field, || {
            (format!("{} weights are given", groups.len()), "a group has at most ten people".into())
        });
        self.ordered(
            "crowd.session",
            ("backoff-base", session.backoff_base),
            ("backoff-cap", session.backoff_cap),
        );
        self.ordered(
            "crowd.session",
            ("refresh-min", session.refresh_min),
            ("refresh-max", session.refresh_max),
        );
    }
}

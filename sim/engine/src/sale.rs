//! The sale of a scenario in the booking language, the same for every system.
//!
//! Owns the mapping from settings to the hall and the rules. Refuses to know the system that keeps them.

use onsale_booking::{Checks, Hall, Rules, Span, Unfit};
use onsale_scenarios::Sale;

/// Time for which an ended hold is remembered, so that a late retry of its request is answered and not executed again.
/// Three times the longest travel of a request: the client's patience, a gateway's, and a hold.
pub(crate) const REMEMBER: Span = Span::from_secs(900);

/// The hall of every show.
pub(crate) fn hall(sale: &Sale) -> Hall {
    Hall::uniform(sale.sections, sale.rows, sale.seats_per_row)
}

/// The rules of the sale. Where checks are switched off, or several nodes decide on one show, events that do not fit a
/// show are expected, and overwrite its state; otherwise they mean that the system is broken.
pub(crate) fn rules(sale: &Sale, is_single_writer: bool) -> Rules {
    let mut checks = Checks {
        repeats: sale.repeats,
        confirms: sale.confirms,
        releases: sale.releases,
        orders: sale.orders,
        early: sale.early,
        unfit: Unfit::IsBroken,
    };
    if !(is_single_writer && checks.are_complete()) {
        checks.unfit = Unfit::Overwrites;
    }
    Rules {
        hold: sale.hold,
        grace: sale.grace,
        seats_per_request: sale.seats_per_request,
        remember: REMEMBER,
        checks,
    }
}

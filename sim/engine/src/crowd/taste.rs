//! Tastes and habits of each person: a pure function of the demand seed and the person's number.
//!
//! Owns group sizes, taste in seats and think times. Refuses to know what the person has been
//! told, except what the caller passes in.

use onsale_booking::{BestSeats, SeatId, SeatList, SectionId, ShowId, Span, Wish};
use onsale_scenarios::{Ratio, Sale, Session, Timing};

use onsale_world::sample::{hits, timing, uniform, weighted, zipf};
use onsale_world::stream::{UserDraws, below};

/// The purpose of a draw. The numbers are part of every seed's meaning: never reuse one. 0 is the arrival's.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Show = 1,
    Group = 2,
    PickThink = 3,
    Best = 4,
    Section = 5,
    Seat = 6,
    Split = 7,
    Abandon = 8,
    Release = 9,
    Checkout = 10,
    Payment = 11,
    Approval = 12,
    Backoff = 13,
    Refresh = 14,
    NoShow = 15,
    OtherShow = 16,
    Called = 17,
}

/// The tastes and habits of one person.
#[derive(Clone, Copy, Debug)]
pub struct Taste<'a> {
    draws: UserDraws,
    sale: &'a Sale,
    session: &'a Session,
}

impl<'a> Taste<'a> {
    /// The tastes of `user` under the demand seed.
    pub const fn new(seed: u64, user: u32, sale: &'a Sale, session: &'a Session) -> Self {
        Self { draws: UserDraws::new(seed, user), sale, session }
    }

    /// The show that the person came for.
    pub fn show(self) -> ShowId {
        if self.sale.shows == 1 || hits(self.draw(Purpose::Show, 0), self.sale.hot_share) {
            ShowId(0)
        } else {
            ShowId(
                1 + below(self.draw(Purpose::OtherShow, 0), u64::from(self.sale.shows - 1)) as u32,
            )
        }
    }

    /// Number of seats wanted.
    pub fn group(self) -> u8 {
        let size = weighted(self.draw(Purpose::Group, 0), &self.session.group_weights) as u8 + 1;
        size.min(self.sale.seats_per_request)
    }

    /// Whether the person's first request names seats picked on the map.
    pub fn picks(self) -> bool {
        !hits(self.draw(Purpose::Best, 0), self.session.best_available)
    }

    /// The section preferred for the `nth` request.
    pub fn section(self, nth: u8) -> SectionId {
        SectionId(below(self.draw(Purpose::Section, u32::from(nth)), u64::from(self.sale.sections))
            as u16)
    }

    /// The wish for `group` seats: picked on the map, or the best of a section.
    #[inline]
    pub fn wish(self, picks: bool, group: u8, section: SectionId) -> Wish {
        let mut wish = Wish::default();
        if picks {
            wish.picked = self.picked(group);
        } else {
            wish.best = self.best(group, section);
        }
        wish
    }

    /// `group` of the best available seats, in one section or spread over two.
    fn best(self, group: u8, section: SectionId) -> BestSeats {
        let splits = group > 1
            && self.sale.sections > 1
            && hits(self.draw(Purpose::Split, 0), self.session.split);
        if splits {
            let other = SectionId((section.0 + 1) % self.sale.sections);
            BestSeats::of_two((section, group - group / 2), (other, group / 2))
        } else {
            BestSeats::of_one(section, group)
        }
    }

    /// `group` adjacent seats picked on the map: the front rows of all sections are wanted most.
    fn picked(self, group: u8) -> SeatList {
        let (rows, width) = (u32::from(self.sale.rows), u32::from(self.sale.seats_per_row));
        let sections = u32::from(self.sale.sections);
        let group = u32::from(group).min(width);
        let rank = zipf(self.draw(Purpose::Seat, 0), rows * width * sections, self.session.zipf.0);
        let (row, across) = (rank / (width * sections), rank % (width * sections));
        let (section, place) = (across / width, (across % width).min(width - group));
        let first = (section * rows + row) * width + place;
        (first..first + group).map(SeatId).collect()
    }

    /// Time that the person looks at the seat map.
    pub fn pick_think(self) -> Span {
        timing(self.draw(Purpose::PickThink, 0), &self.session.pick_think)
    }

    /// Duration of the checkout, without the payment provider.
    pub fn checkout(self, hold: u8) -> Span {
        timing(self.draw(Purpose::Checkout, u32::from(hold)), &self.session.checkout_think)
    }

    /// Duration of the payment at the provider.
    pub fn payment(self, hold: u8) -> Span {
        timing(self.draw(Purpose::Payment, u32::from(hold)), &self.session.payment)
    }

    /// Whether the payment is approved.
    pub fn approved(self, hold: u8) -> bool {
        hits(self.draw(Purpose::Approval, u32::from(hold)), self.session.approval)
    }

    /// Whether the cart is abandoned.
    pub fn abandons(self, hold: u8) -> bool {
        hits(self.draw(Purpose::Abandon, u32::from(hold)), self.session.abandon)
    }

    /// Whether an abandoned or declined cart is given back.
    pub fn gives_back(self, hold: u8) -> bool {
        hits(self.draw(Purpose::Release, u32::from(hold)), self.session.release)
    }

    /// Whether the person is a no-show.
    pub fn no_show(self, share: Ratio) -> bool {
        hits(self.draw(Purpose::NoShow, 0), share)
    }

    /// Latency of the call into the sale.
    pub fn called(self, client: &Timing) -> Span {
        timing(self.draw(Purpose::Called, 0), client)
    }

    /// The pause before attempt `attempt` of request `sequence`: full jitter.
    pub fn backoff(self, sequence: u8, attempt: u8) -> Span {
        let most = self
            .session
            .backoff_base
            .0
            .saturating_mul(1 << attempt.min(20))
            .min(self.session.backoff_cap.0);
        let nth = (u32::from(sequence) << 8) | u32::from(attempt);
        uniform(self.draw(Purpose::Backoff, nth), Span::ZERO, Span(most))
    }

    /// The pause before a fresh request.
    pub fn refresh(self, nth: u8) -> Span {
        uniform(
            self.draw(Purpose::Refresh, u32::from(nth)),
            self.session.refresh_min,
            self.session.refresh_max,
        )
    }

    const fn draw(self, purpose: Purpose, nth: u32) -> u64 {
        self.draws.draw(purpose as u8, nth)
    }
}

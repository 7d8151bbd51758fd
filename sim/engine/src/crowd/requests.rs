//! A person's current request, as every attempt repeats it.
//!
//! Owns its form, made of the person's few bytes and taste. Refuses to know when it is sent, and what its
//! answer says.

use onsale_booking::{
    Command, HoldId, Instant, NodeId, PaymentId, Request, RequestId, SectionId, UserId, Wish,
};
use onsale_oracles::Asked;
use onsale_reports::Operation;

use super::Crowd;
use super::people::{Doing, Person};
use crate::seen::asked::{request_id, requester};
use crate::witness::Witness;

impl Crowd {
    pub(super) fn asked(&self, user: u32, person: &Person) -> Asked {
        let show = self.taste(user).show();
        Asked {
            request: request_id(user, person.sequence),
            user: UserId(user),
            show,
            since: person.intended,
        }
    }

    /// Reports a reply to a request that the person has not made yet.
    #[cold]
    pub(super) fn hear_unasked(&self, at: Instant, request: RequestId, witness: &mut Witness) {
        let (user, _) = requester(request);
        let show = self.taste(user).show();
        let asked = Asked { request, user: UserId(user), show, since: at };
        witness.judges.oracles.heard_unasked(at, &asked);
    }

    /// Notes that the person's open attempt has ended, by an answer, with its patience or with its connection. `open` is
    /// the end of its patience, and its gateway: clients may have learnt of others since.
    #[inline]
    pub(super) fn end_attempt(
        &self,
        (at, user): (Instant, u32),
        open: (Instant, u16),
        person: &Person,
        witness: &mut Witness,
    ) {
        if witness.judges.any_in_minority() {
            self.report_end((at, user), open, person, witness);
        }
    }

    #[cold]
    fn report_end(
        &self,
        (at, user): (Instant, u32),
        (gives_up, gateway): (Instant, u16),
        person: &Person,
        witness: &mut Witness,
    ) {
        let sent = Instant(gives_up.0.saturating_sub(self.request_timeout().0));
        let asked = self.asked(user, person);
        witness.judges.attempt_ends((sent, at), NodeId(gateway), &asked);
    }

    /// The person's current request; every attempt repeats it exactly.
    pub(super) fn request(&self, user: u32, person: &Person) -> Request {
        let id = request_id(user, person.sequence);
        let command = match person.doing {
            Doing::AskingBooking => {
                Command::Confirm { hold: self.held_by(user), payment: PaymentId(id.0) }
            }
            Doing::AskingRelease => Command::Release { hold: self.held_by(user) },
            Doing::AskingHold | Doing::Away | Doing::Picking | Doing::Paying => {
                Command::Hold(self.wish(user, person))
            }
        };
        Request { id, user: UserId(user), show: self.taste(user).show(), command }
    }

    /// The wish of the person's current request, if it asks for a hold.
    pub(super) fn wish(&self, user: u32, person: &Person) -> Wish {
        self.taste(user).wish(person.picks, person.group, person.section)
    }

    #[inline]
    pub(super) fn hold(&self, user: u32, picks: bool, group: u8, section: SectionId) -> Command {
        Command::Hold(self.taste(user).wish(picks, group, section))
    }

    pub(super) fn held_by(&self, user: u32) -> HoldId {
        self.carts.get(&user).map_or(HoldId(0), |cart| HoldId::from(cart.hold))
    }
}

/// The operation that a person waits for; `None` at steps without a request.
pub(super) const fn operation(doing: Doing) -> Option<Operation> {
    match doing {
        Doing::AskingHold => Some(Operation::Hold),
        Doing::AskingBooking => Some(Operation::Confirm),
        Doing::AskingRelease => Some(Operation::Release),
        Doing::Away | Doing::Picking | Doing::Paying => None,
    }
}

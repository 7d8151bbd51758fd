//! The people who wait for an answer: at which gateway, and until when.
//!
//! Owns the clients' patience with their attempts, in the order in which it ends: everybody's is as long.
//! Refuses to know who they are and what they asked.
//!
//! A person keeps the ticket of its patience, and strikes it out when an answer comes: so the many that are
//! answered cost no look at the person.

use std::collections::VecDeque;

use onsale_booking::Instant;

/// At no gateway: whoever waited has an answer.
const NOWHERE: u16 = 0;

/// Everybody who waits for an answer.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    queue: VecDeque<Patience>,
    /// The ticket of the first of them.
    first_ticket: u32,
}

/// A client's patience with one attempt ends at an instant.
#[derive(Clone, Copy, Debug)]
struct Patience {
    ends: Instant,
    user: u32,
    gateway: u16,
}

impl Waiting {
    /// A client waits for the answer of a gateway. Returns the ticket of its patience.
    pub(super) fn wait(&mut self, ends: Instant, user: u32, gateway: u16) -> u32 {
        let ticket = self.first_ticket.wrapping_add(self.queue.len() as u32);
        self.queue.push_back(Patience { ends, user, gateway });
        ticket
    }

    /// A client no longer waits for the answer for which it has the ticket.
    pub(super) fn strike_out(&mut self, ticket: u32) {
        let place = ticket.wrapping_sub(self.first_ticket) as usize;
        if let Some(patience) = self.queue.get_mut(place) {
            patience.gateway = NOWHERE;
        }
    }

    /// When somebody's patience may end next.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.queue.front().map(|patience| patience.ends)
    }

    /// Somebody whose patience ends before `end`, and when; the first first.
    pub(super) fn take_ended(&mut self, end: Instant) -> Option<(Instant, u32)> {
        while let Some(&Patience { ends, user, gateway }) = self.queue.front()
            && ends < end
        {
            self.queue.pop_front();
            self.first_ticket = self.first_ticket.wrapping_add(1);
            if gateway != NOWHERE {
                return Some((ends, user));
            }
        }
        None
    }

    /// Everybody who waits at a gateway with a patience that ends at `until` or before. Looks at all who
    /// wait: for what is rare.
    pub(super) fn at(&self, gateway: u16, until: Instant) -> Vec<u32> {
        let waits = |patience: &&Patience| patience.gateway == gateway && patience.ends <= until;
        self.queue.iter().filter(waits).map(|patience| patience.user).collect()
    }

    /// Whether the client with this ticket waits at a gateway.
    pub(super) fn is_at(&self, ticket: u32, gateway: u16) -> bool {
        let patience = self.queue.get(ticket.wrapping_sub(self.first_ticket) as usize);
        patience.is_some_and(|patience| patience.gateway == gateway)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_in_order_and_only_for_those_who_wait() {
        let mut waiting = Waiting::default();
        let tickets: Vec<u32> = [(5, 10, 1), (6, 11, 2), (7, 12, 1), (9, 13, 1)]
            .map(|(ends, user, gateway)| waiting.wait(Instant(ends), user, gateway))
            .to_vec();
        assert_eq!(waiting.at(1, Instant(7)), [10, 12]);
        waiting.strike_out(tickets[0]);
        assert_eq!(waiting.at(1, Instant(9)), [12, 13]);
        assert_eq!(waiting.next_end(), Some(Instant(5)));
        assert_eq!(waiting.take_ended(Instant(7)), Some((Instant(6), 11)));
        assert_eq!(waiting.take_ended(Instant(7)), None);
        assert!(waiting.is_at(tickets[2], 1) && !waiting.is_at(tickets[2], 2));
        assert!(!waiting.is_at(tickets[1], 2), "it waits no longer");
        waiting.strike_out(tickets[1]);
        assert_eq!(waiting.wait(Instant(10), 14, 2), tickets[3] + 1);
    }
}

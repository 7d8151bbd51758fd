//! The people who wait for an answer, with their gateways and patience.
//!
//! Owns the clients' patience with their attempts, in the order in which it ends: it has the same length for
//! everybody. Refuses to know who they are and what they asked.
//!
//! A person keeps the ticket of its patience, and cancels it when an answer comes: so the many answered attempts
//! need no look at the person.

use std::collections::VecDeque;

use onsale_booking::Instant;

/// Gateway number of a cancelled ticket.
const NOWHERE: u16 = 0;

/// The clients that wait for an answer.
#[derive(Debug, Default)]
pub(super) struct Timeouts {
    queue: VecDeque<Timeout>,
    /// Ticket of the first entry.
    first_ticket: u32,
}

/// A client's patience with one attempt, and the instant at which it ends.
#[derive(Clone, Copy, Debug)]
struct Timeout {
    ends: Instant,
    user: u32,
    gateway: u16,
}

impl Timeouts {
    /// Adds a client that waits for a gateway's answer. Returns the ticket of its patience.
    pub(super) fn wait(&mut self, ends: Instant, user: u32, gateway: u16) -> u32 {
        let ticket = self.first_ticket.wrapping_add(self.queue.len() as u32);
        self.queue.push_back(Timeout { ends, user, gateway });
        ticket
    }

    /// Cancels a ticket, as its client no longer waits.
    pub(super) fn strike_out(&mut self, ticket: u32) {
        let place = ticket.wrapping_sub(self.first_ticket) as usize;
        if let Some(patience) = self.queue.get_mut(place) {
            patience.gateway = NOWHERE;
        }
    }

    /// Instant at which the patience with a ticket ends, and the gateway that was asked; `None` once it has ended or was
    /// cancelled.
    pub(super) fn open(&self, ticket: u32) -> Option<(Instant, u16)> {
        let place = ticket.wrapping_sub(self.first_ticket) as usize;
        let patience = self.queue.get(place).filter(|patience| patience.gateway != NOWHERE)?;
        Some((patience.ends, patience.gateway))
    }

    /// Earliest instant at which a patience may end.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.queue.front().map(|patience| patience.ends)
    }

    /// Removes and returns the next client whose patience ends before `end`, with that instant and its gateway.
    pub(super) fn take_ended(&mut self, end: Instant) -> Option<(Instant, u32, u16)> {
        while let Some(&Timeout { ends, user, gateway }) = self.queue.front()
            && ends < end
        {
            self.queue.pop_front();
            self.first_ticket = self.first_ticket.wrapping_add(1);
            if gateway != NOWHERE {
                return Some((ends, user, gateway));
            }
        }
        None
    }

    /// All clients that wait at a gateway with a patience that ends by `until`. Scans all that wait: for
    /// rare use.
    pub(super) fn at(&self, gateway: u16, until: Instant) -> Vec<u32> {
        let waits = |patience: &&Timeout| patience.gateway == gateway && patience.ends <= until;
        self.queue.iter().filter(waits).map(|patience| patience.user).collect()
    }

    /// Whether the client with this ticket waits at this gateway.
    pub(super) fn is_at(&self, ticket: u32, gateway: u16) -> bool {
        let patience = self.queue.get(ticket.wrapping_sub(self.first_ticket) as usize);
        patience.is_some_and(|patience| patience.gateway == gateway)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_in_order_and_only_for_waiting_clients() {
        let mut waiting = Timeouts::default();
        let tickets: Vec<u32> = [(5, 10, 1), (6, 11, 2), (7, 12, 1), (9, 13, 1)]
            .map(|(ends, user, gateway)| waiting.wait(Instant(ends), user, gateway))
            .to_vec();
        assert_eq!(waiting.at(1, Instant(7)), [10, 12]);
        waiting.strike_out(tickets[0]);
        assert_eq!(waiting.at(1, Instant(9)), [12, 13]);
        assert_eq!(waiting.next_end(), Some(Instant(5)));
        assert_eq!(
            (waiting.open(tickets[0]), waiting.open(tickets[1])),
            (None, Some((Instant(6), 2)))
        );
        assert_eq!(waiting.take_ended(Instant(7)), Some((Instant(6), 11, 2)));
        assert_eq!(waiting.take_ended(Instant(7)), None);
        assert!(waiting.is_at(tickets[2], 1) && !waiting.is_at(tickets[2], 2));
        assert!(!waiting.is_at(tickets[1], 2), "its ticket is cancelled");
        waiting.strike_out(tickets[1]);
        assert_eq!(waiting.wait(Instant(10), 14, 2), tickets[3] + 1);
    }
}

//! Links with limited bandwidth: messages queue, and are lost when the queue is full.
//!
//! Owns the bandwidth of links between nodes and the queue in front of each direction, and how
//! much of it a message takes. Bandwidth is unlimited unless a fault lowers it. Refuses to know
//! the latency of the link itself.

use onsale_booking::{Instant, Span};

use crate::place::{Layout, Place};
use crate::touches::Touches;

/// Length of a link's queue: a message that would wait longer is lost.
const QUEUE: Span = Span::from_secs(1);

/// Addresses and checksums of a message, in bytes.
const HEADER: u64 = 64;

/// What a message is to a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Its length, without addresses and checksums.
    pub(crate) bytes: u64,
    /// Whether its delay is attributed to the faults that cause it.
    pub(crate) counts: bool,
}

/// The queues of all links.
#[derive(Debug)]
pub struct Queues {
    layout: Layout,
    /// Faults in force: number, node concerned (all nodes if none), and the bandwidth of its links
    /// in KiB a second.
    lowered: Vec<(usize, Option<Place>, u32)>,
    /// By link, the instant at which the last queued byte leaves the sender.
    free: Vec<Instant>,
    /// Messages that waited or were lost.
    pub(crate) touches: Touches,
}

impl Queues {
    /// Empty queues in front of links without limits.
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            layout,
            lowered: Vec::new(),
            free: vec![Instant::ZERO; layout.count().pow(2)],
            touches: Touches::default(),
        }
    }

    /// Limits the bandwidth of the links between nodes, or of one node's links.
    pub fn lower(&mut self, fault: usize, node: Option<Place>, kib_per_s: u32) {
        self.lowered.push((fault, node, kib_per_s));
    }

    /// Lifts a fault's limit; the queues are empty at once.
    pub fn restore(&mut self, fault: usize) {
        self.lowered.retain(|&(of, ..)| of != fault);
        if self.lowered.is_empty() {
            self.free.fill(Instant::ZERO);
        }
    }

    /// Queueing and transmission time of a message that is sent at `departs`; `None` if the queue is full. `load` is
    /// asked for only where bandwidth is limited.
    #[inline]
    pub(crate) fn wait(
        &mut self,
        link: (Place, Place),
        departs: Instant,
        load: impl FnOnce() -> Load,
    ) -> Option<Span> {
        if self.lowered.is_empty() {
            return Some(Span::ZERO);
        }
        self.wait_in_queue(link, departs, load())
    }

    #[cold]
    fn wait_in_queue(
        &mut self,
        (from, to): (Place, Place),
        departs: Instant,
        Load { bytes, counts }: Load,
    ) -> Option<Span> {
        if from == Place::Clients || to == Place::Clients {
            return Some(Span::ZERO);
        }
        let concerned = |node: Option<Place>| node.is_none_or(|node| node == from || node == to);
        let rates = self.lowered.iter().filter(|&&(_, node, _)| concerned(node));
        let Some(&(fault, _, kib_per_s)) = rates.min_by_key(|&&(.., rate)| rate) else {
            return Some(Span::ZERO);
        };
        if counts {
            self.touches.message(fault);
        }
        let free = &mut self.free[self.layout.link(self.layout.route(from, to))];
        let waits = free.since(departs);
        if waits > QUEUE {
            return None;
        }
        let takes = Span(((HEADER + bytes) * 1_000_000).div_ceil(u64::from(kib_per_s) * 1_024));
        *free = departs + waits + takes;
        Some(waits + takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N1: Place = Place::node(1);
    const N2: Place = Place::node(2);
    const N3: Place = Place::node(3);

    fn waits(queues: &mut Queues, link: (Place, Place), departs: Instant) -> Option<Span> {
        queues.wait(link, departs, || Load { bytes: 16, counts: true })
    }

    #[test]
    fn messages_queue_on_a_slow_link_and_are_lost_beyond_its_queue() {
        let mut queues = Queues::new(Layout::new(3, 0));
        assert_eq!(waits(&mut queues, (N1, N2), Instant::ZERO), Some(Span::ZERO));
        queues.lower(7, None, 1);
        // 80 bytes at 1,024 a second.
        let takes = Span(78_125);
        let mut waited = Vec::new();
        while let Some(wait) = waits(&mut queues, (N1, N2), Instant::ZERO) {
            waited.push(wait);
        }
        assert_eq!(waited[..3], [takes, Span(takes.0 * 2), Span(takes.0 * 3)]);
        assert_eq!(waited.len(), 13, "a second's worth, and the one being sent");
        assert_eq!(waits(&mut queues, (N2, N1), Instant::ZERO), Some(takes), "the other direction");
        assert_eq!(waits(&mut queues, (Place::Clients, N2), Instant::ZERO), Some(Span::ZERO));
        let later = Instant::ZERO + Span::from_secs(10);
        assert_eq!(waits(&mut queues, (N1, N2), later), Some(takes), "it drains");
        queues.restore(7);
        assert_eq!(waits(&mut queues, (N1, N2), Instant::ZERO), Some(Span::ZERO));
    }

    #[test]
    fn only_one_nodes_links_are_congested_and_by_the_narrowest_fault() {
        let mut queues = Queues::new(Layout::new(3, 0));
        queues.lower(0, Some(Place::node(2)), 1);
        assert_eq!(waits(&mut queues, (N1, N3), Instant::ZERO), Some(Span::ZERO));
        assert!(waits(&mut queues, (N3, N2), Instant::ZERO) > Some(Span::ZERO));
        queues.lower(1, None, 1_000);
        assert_eq!(waits(&mut queues, (N2, N3), Instant::ZERO), Some(Span(78_125)));
        assert_eq!(waits(&mut queues, (N1, N3), Instant::ZERO), Some(Span(79)));
    }
}

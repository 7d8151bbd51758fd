//! A replica's memory of its peers beyond the library's.
//!
//! Owns how long each has been silent, which read it confirmed last, and which of them answer most promptly. Refuses to
//! know the log: the library tracks a follower's part of it.

use std::cmp::Reverse;

/// The peers of one replica, by number.
#[derive(Debug)]
pub(super) struct Followers {
    each: Vec<Follower>,
    /// The peers' numbers; the one that answered a heartbeat last comes first.
    prompt: Vec<u64>,
}

/// One peer.
#[derive(Debug)]
pub(super) struct Follower {
    /// Its number in the library.
    pub(super) id: u64,
    /// Ticks of silence while it has lacked something.
    pub(super) silent_ticks: u32,
    /// Ticks since it was sent a snapshot that it has not acknowledged.
    pub(super) snapshot_ticks: u32,
    /// The latest read that it confirmed.
    confirmed: u64,
    /// Number of times that a leader without a vote called it to lead.
    calls: u32,
}

impl Follower {
    fn new(id: u64) -> Self {
        Self { id, silent_ticks: 0, snapshot_ticks: 0, confirmed: 0, calls: 0 }
    }
}

impl Followers {
    /// A memory of `peers`, of which the first is expected to answer first.
    pub(super) fn new(peers: Vec<u64>) -> Self {
        Self { each: peers.iter().copied().map(Follower::new).collect(), prompt: peers }
    }

    pub(super) fn len(&self) -> usize {
        self.each.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Follower> {
        self.each.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Follower> {
        self.each.iter_mut()
    }

    /// The peers' numbers.
    pub(super) fn ids(&self) -> impl Iterator<Item = u64> {
        self.each.iter().map(|follower| follower.id)
    }

    pub(super) fn contains(&self, id: u64) -> bool {
        self.each.iter().any(|follower| follower.id == id)
    }

    /// The numbers of the peers, the most recent to answer a heartbeat first.
    pub(super) fn prompt(&self) -> &[u64] {
        &self.prompt
    }

    /// Replaces the peers, in order of their numbers. Those that stay keep their memory.
    pub(super) fn adopt(&mut self, peers: &[u64]) {
        self.each.retain(|follower| peers.contains(&follower.id));
        self.prompt.retain(|id| peers.contains(id));
        for &id in peers {
            if !self.prompt.contains(&id) {
                self.prompt.push(id);
                self.each.push(Follower::new(id));
            }
        }
        self.each.sort_unstable_by_key(|follower| follower.id);
    }

    /// Leadership begins or ends: resets silence and calls to zero.
    pub(super) fn start_over(&mut self) {
        for follower in &mut self.each {
            follower.silent_ticks = 0;
            follower.snapshot_ticks = 0;
            follower.calls = 0;
        }
    }

    /// A peer sent a message.
    pub(super) fn on_heard(&mut self, id: u64) {
        if let Some(follower) = self.each.iter_mut().find(|follower| follower.id == id) {
            follower.silent_ticks = 0;
        }
    }

    /// A peer answered a heartbeat: it is the most prompt of all.
    pub(super) fn on_heartbeat_answered(&mut self, id: u64) {
        if let Some(rank) = self.prompt.iter().position(|&follower| follower == id) {
            self.prompt[..=rank].rotate_right(1);
        }
    }

    /// A peer confirmed a read, and so every earlier one.
    pub(super) fn on_read_confirmed(&mut self, id: u64, number: u64) {
        if let Some(follower) = self.each.iter_mut().find(|follower| follower.id == id) {
            follower.confirmed = follower.confirmed.max(number);
        }
    }

    /// Whether a peer confirmed a read or a later one.
    pub(super) fn has_confirmed(&self, id: u64, number: u64) -> bool {
        self.each.iter().any(|follower| follower.id == id && follower.confirmed >= number)
    }

    /// The peer to call to lead among those that `may_lead`: the one called least often, and of equals the one that has
    /// `matched` most of the log. Counts the call.
    pub(super) fn call_one(
        &mut self,
        may_lead: impl Fn(u64) -> bool,
        matched: impl Fn(u64) -> u64,
    ) -> Option<u64> {
        let fit = self.each.iter_mut().filter(|follower| may_lead(follower.id));
        let one = fit.max_by_key(|follower| (Reverse(follower.calls), matched(follower.id)))?;
        one.calls = one.calls.saturating_add(1);
        Some(one.id)
    }
}

//! Suspicion of silent peers: a φ-accrual failure detector.
//!
//! Owns the prediction of each peer's next beat from its past ones. Refuses to decide what a suspicion means: it says
//! *when* a shard may move, the journal's quorum says *whether* it may write.
//!
//! φ = −log10(e / (1 + e)) with e = exp(−y(1.5976 + 0.070566 y²)) and
//! y = (silence − mean − pause) / σ, the logistic approximation of the normal tail
//! that the actor clusters use (Hayashibara et al. 2004; constants of Akka and Pekko).
//! φ rises with y alone, so the threshold is turned into a y once, and each beat into
//! the instant at which the silence after it will have lasted too long.

use onsale_booking::{Instant, NodeId, Span};

/// Beat intervals remembered for each peer.
const WINDOW: usize = 200;
const FULL: u64 = WINDOW as u64;

/// The parameters of the detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// φ at which a silent peer is suspected.
    pub phi: u32,
    /// Silence accepted beyond the mean interval before φ rises.
    pub acceptable_pause: Span,
    /// Least standard deviation that is assumed of the interval.
    pub min_std_deviation: Span,
    /// The interval expected before any was seen.
    pub beat_every: Span,
}

/// The effect of a beat on the view of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// None: one more beat.
    Steady,
    /// It is the first beat of a peer that was not suspected.
    First,
    /// The peer was suspected and no longer is.
    Again,
    /// The peer has restarted since its last beat, suspected or not.
    Restarted {
        /// Whether it was suspected until now.
        suspected: bool,
    },
    /// The beat is from an earlier boot, overtaken on its way.
    Stale,
}

/// One node's view of the silence of all its peers.
#[derive(Clone, Debug)]
pub struct Detector {
    suspicion: Suspicion,
    /// y at which φ reaches the threshold, in thousandths.
    y_milli: u64,
    peers: Vec<Option<Peer>>,
    /// Number of peers that are not suspected.
    heard: u16,
    /// No peer becomes suspect before this instant. May be too early, never too late.
    scan_at: Instant,
}

#[derive(Clone, Debug)]
struct Peer {
    incarnation: Option<u64>,
    suspected: bool,
    last: Instant,
    suspect_at: Instant,
    /// In microseconds; a ring once full.
    intervals: Vec<u32>,
    next: usize,
    sum: u64,
    sum_of_squares: u64,
}

impl Detector {
    /// Watches every node but `me`; each has the time of a first beat from `now` on.
    pub fn new(
        suspicion: Suspicion,
        nodes: impl Iterator<Item = NodeId>,
        me: NodeId,
        now: Instant,
    ) -> Self {
        let mut detector = Self {
            suspicion,
            y_milli: y_milli(suspicion.phi),
            peers: Vec::new(),
            heard: 0,
            scan_at: Instant::MAX,
        };
        for node in nodes.filter(|&node| node != me) {
            let slot = usize::from(node.0);
            if detector.peers.len() <= slot {
                detector.peers.resize(slot + 1, None);
            }
            detector.peers[slot] = Some(Peer::new(&suspicion, detector.y_milli, now));
            detector.heard += 1;
        }
        detector.scan_at = detector.earliest();
        detector
    }

    /// Watches one more node, if it is not watched already; it has the time of a first beat.
    pub fn watch(&mut self, node: NodeId, now: Instant) {
        let slot = usize::from(node.0);
        if self.peers.len() <= slot {
            self.peers.resize(slot + 1, None);
        }
        let (suspicion, y_milli) = (&self.suspicion, self.y_milli);
        if self.peers[slot].is_none() {
            self.peers[slot] = Some(Peer::new(suspicion, y_milli, now));
            self.heard += 1;
        }
        self.scan_at = self.earliest();
    }

    /// Stops watching a node.
    pub fn forget(&mut self, node: NodeId) {
        if let Some(peer) = self.peers.get_mut(usize::from(node.0)) {
            self.heard -= u16::from(peer.take().is_some_and(|peer| !peer.suspected));
        }
    }

    /// Takes a beat. `None` if the sender is not a peer.
    #[inline]
    pub fn heard(&mut self, from: NodeId, incarnation: u64, now: Instant) -> Option<Heard> {
        let peer = self.peers.get_mut(usize::from(from.0))?.as_mut()?;
        let suspected = peer.suspected;
        let heard = match peer.incarnation {
            Some(known) if incarnation == known && !suspected => {
                peer.remember(u32::try_from(now.since(peer.last).0).unwrap_or(u32::MAX));
                Heard::Steady
            }
            Some(known) if incarnation < known => return Some(Heard::Stale),
            Some(known) if incarnation > known => {
                *peer = Peer::new(&self.suspicion, self.y_milli, now);
                Heard::Restarted { suspected }
            }
            Some(_) | None if suspected => Heard::Again,
            Some(_) => Heard::Steady,
            None => Heard::First,
        };
        peer.incarnation = Some(incarnation);
        peer.suspected = false;
        self.heard += u16::from(suspected);
        peer.beat(&self.suspicion, self.y_milli, now);
        self.scan_at = self.scan_at.min(peer.suspect_at);
        Some(heard)
    }

    /// The peers whose silence has become suspicious by `now`, each reported once.
    #[inline]
    pub fn overdue(&mut self, now: Instant) -> Vec<NodeId> {
        if now < self.scan_at { Vec::new() } else { self.scan(now) }
    }

    fn scan(&mut self, now: Instant) -> Vec<NodeId> {
        let mut suspects = Vec::new();
        for (node, peer) in self.peers.iter_mut().enumerate() {
            if let Some(peer) =
                peer.as_mut().filter(|peer| !peer.suspected && peer.suspect_at <= now)
            {
                peer.suspected = true;
                self.heard -= 1;
                suspects.push(NodeId(node as u16));
            }
        }
        self.scan_at = self.earliest();
        suspects
    }

    /// This node stood still until `now` and heard nothing: its peers' silence starts over.
    pub fn excuse(&mut self, now: Instant) {
        for peer in self.peers.iter_mut().flatten().filter(|peer| !peer.suspected) {
            peer.beat(&self.suspicion, self.y_milli, now);
        }
        self.scan_at = self.earliest();
    }

    /// Whether a peer's latest beat was of this incarnation.
    pub fn is_current(&self, peer: NodeId, incarnation: u64) -> bool {
        let peer = self.peers.get(usize::from(peer.0)).and_then(Option::as_ref);
        peer.is_some_and(|peer| peer.incarnation == Some(incarnation))
    }

    /// Whether a peer is suspected now. A node does not suspect itself.
    pub fn suspects(&self, peer: NodeId) -> bool {
        self.peers
            .get(usize::from(peer.0))
            .and_then(Option::as_ref)
            .is_some_and(|peer| peer.suspected)
    }

    /// Number of peers that are not suspected.
    pub fn heard_peers(&self) -> u16 {
        self.heard
    }

    /// Makes the next deadline exact if it lies before `until`, when the caller wakes anyway.
    pub fn sharpen(&mut self, until: Instant) {
        if self.scan_at < until {
            self.scan_at = self.earliest();
        }
    }

    /// When to ask `overdue` again. May be too early, never too late, since beats do not move it on.
    pub fn next_deadline(&self) -> Instant {
        self.scan_at
    }

    fn earliest(&self) -> Instant {
        let watched = self.peers.iter().flatten().filter(|peer| !peer.suspected);
        watched.map(|peer| peer.suspect_at).min().unwrap_or(Instant::MAX)
    }
}

impl Peer {
    /// A new peer, with two invented intervals around the expected one as its history.
    fn new(suspicion: &Suspicion, y_milli: u64, now: Instant) -> Self {
        let mut peer = Self {
            incarnation: None,
            suspected: false,
            last: now,
            suspect_at: Instant::MAX,
            intervals: Vec::new(),
            next: 0,
            sum: 0,
            sum_of_squares: 0,
        };
        let (mean, deviation) = (suspicion.beat_every.0, suspicion.beat_every.0 / 4);
        peer.remember((mean - deviation) as u32);
        peer.remember((mean + deviation) as u32);
        peer.beat(suspicion, y_milli, now);
        peer
    }

    #[inline]
    fn remember(&mut self, interval: u32) {
        if self.intervals.len() < WINDOW {
            self.intervals.push(interval);
        } else {
            let forgotten = u64::from(std::mem::replace(&mut self.intervals[self.next], interval));
            self.sum -= forgotten;
            self.sum_of_squares -= forgotten * forgotten;
            self.next = if self.next + 1 == WINDOW { 0 } else { self.next + 1 };
        }
        self.sum += u64::from(interval);
        self.sum_of_squares =
            self.sum_of_squares.saturating_add(u64::from(interval) * u64::from(interval));
    }

    #[inline]
    fn beat(&mut self, suspicion: &Suspicion, y_milli: u64, now: Instant) {
        self.last = now;
        let (mean, mean_square) = match self.intervals.len() as u64 {
            // In the usual case the divisor is a constant, so that no division is needed.
            FULL => (self.sum / FULL, self.sum_of_squares / FULL),
            count => (self.sum / count, self.sum_of_squares / count),
        };
        let variance = mean_square.saturating_sub(mean * mean);
        let least = suspicion.min_std_deviation.0;
        let deviation = if variance <= least * least { least } else { variance.isqrt() };
        self.suspect_at =
            now + Span(mean) + suspicion.acceptable_pause + Span(deviation * y_milli / 1_000);
    }
}

/// Inverts φ by bisection, rounded up to a thousandth.
fn y_milli(threshold: u32) -> u64 {
    let (mut low, mut high) = (0, 1_000_000);
    while low < high {
        let middle = (low + high) / 2;
        if phi(middle as f64 / 1e3) >= f64::from(threshold) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

fn phi(y: f64) -> f64 {
    let exponent = y * (1.5976 + 0.070566 * y * y);
    // −log10(e / (1 + e)) with e = exp(−exponent), in a form that cannot underflow.
    (exponent + libm::log1p(libm::exp(-exponent))) / core::f64::consts::LN_10
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: NodeId = NodeId(2);

    fn detector(now: Instant) -> Detector {
        let suspicion = Suspicion {
            phi: 8,
            acceptable_pause: Span::from_millis(3_000),
            min_std_deviation: Span::from_millis(100),
            beat_every: Span::from_millis(1_000),
        };
        Detector::new(suspicion, (1..=3).map(NodeId), NodeId(1), now)
    }

    fn beats(detector: &mut Detector, from_s: u64, to_s: u64) {
        for second in from_s..=to_s {
            let expected = if second == from_s { Heard::First } else { Heard::Steady };
            assert_eq!(detector.heard(PEER, 1, Instant(second * 1_000_000)), Some(expected));
        }
    }

    #[test]
    fn phi_is_half_at_the_mean_and_inverts() {
        assert!(
            (phi(0.0) - core::f64::consts::LOG10_2).abs() < 1e-12,
            "half of all intervals are longer than the mean"
        );
        for threshold in [1, 3, 8, 12, 16] {
            let y = y_milli(threshold);
            assert!(phi(y as f64 / 1e3) >= f64::from(threshold));
            assert!(phi((y - 1) as f64 / 1e3) < f64::from(threshold));
        }
    }

    #[test]
    fn the_documented_defaults_detect_after_four_and_a_half_seconds() {
        // With beats each second, φ 8, a pause of 3 s and σ of at least 100 ms: 4.52 s after the last steady beat, 5.31
        // s with the invented history only.
        let mut fresh = detector(Instant::ZERO);
        assert!(fresh.overdue(Instant(5_300_000)).is_empty());
        assert_eq!(fresh.overdue(Instant(5_450_000)), [PEER, NodeId(3)]);

        let mut steady = detector(Instant::ZERO);
        beats(&mut steady, 1, 1_000);
        let end = Instant(1_000_000_000);
        assert!(!steady.overdue(end + Span::from_millis(4_500)).contains(&PEER));
        assert!(steady.overdue(end + Span::from_millis(4_570)).contains(&PEER));
        assert!(steady.suspects(PEER));
        assert_eq!(steady.heard_peers(), 0, "the other one never beat");
        assert!(
            steady.overdue(end + Span::from_secs(60)).is_empty(),
            "each suspicion is reported once"
        );
    }

    #[test]
    fn the_interval_that_crosses_a_suspicion_is_not_recorded() {
        let mut detector = detector(Instant::ZERO);
        beats(&mut detector, 1, 300);
        let _ = detector.overdue(Instant(400_000_000));
        let back = Instant(400_000_000);
        assert_eq!(detector.heard(PEER, 1, back), Some(Heard::Again));
        assert!(detector.overdue(back + Span::from_millis(4_500)).is_empty());
        assert_eq!(detector.overdue(back + Span::from_millis(4_570)), [PEER]);
    }

    #[test]
    fn a_new_incarnation_is_a_restart_and_an_old_one_is_stale() {
        let mut detector = detector(Instant::ZERO);
        beats(&mut detector, 1, 3);
        assert_eq!(
            detector.heard(PEER, 2, Instant(3_100_000)),
            Some(Heard::Restarted { suspected: false })
        );
        assert_eq!(detector.heard(PEER, 1, Instant(3_200_000)), Some(Heard::Stale));
        assert_eq!(detector.heard(NodeId(9), 1, Instant(3_200_000)), None);
        assert_eq!(
            detector.heard(NodeId(1), 1, Instant(3_200_000)),
            None,
            "a node does not watch itself"
        );
    }

    #[test]
    fn a_node_that_stood_still_suspects_no_peer_for_it() {
        let mut detector = detector(Instant::ZERO);
        beats(&mut detector, 1, 300);
        let back = Instant(400_000_000);
        detector.excuse(back);
        assert!(detector.overdue(back + Span::from_millis(4_500)).is_empty());
        assert!(
            detector.overdue(back + Span::from_millis(5_500)).contains(&PEER),
            "this silence is its own"
        );
    }

    #[test]
    fn jitter_widens_the_deadline() {
        let mut detector = detector(Instant::ZERO);
        let mut now = Instant::ZERO;
        for beat in 0..400u64 {
            now += Span::from_millis(if beat % 2 == 0 { 500 } else { 1_500 });
            detector.heard(PEER, 1, now);
        }
        assert!(
            !detector.overdue(now + Span::from_millis(6_000)).contains(&PEER),
            "σ is 500 ms here"
        );
        assert!(detector.overdue(now + Span::from_millis(7_000)).contains(&PEER));
    }
}

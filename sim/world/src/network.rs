//! The network: which messages arrive, and when.
//!
//! Owns latency, jitter, tail, loss, duplication, order and cuts of every directed link. Refuses
//! to know what a message says, and what stands at a place.

mod cut;

use onsale_booking::{Instant, NodeId, Span};
use onsale_scenarios::{Network as Settings, Ratio, Timing};

use self::cut::Cuts;
use crate::place::{Befell, Carried, Layout, Place, Route};
use crate::sample::{hits, timing};
use crate::stream::{Numbered, below, fork};
use crate::touches::Touches;

/// Random draws reserved per message.
const FATES: u64 = 7;
/// Longest delay of a reordered message, in multiples of its latency.
pub const REORDERED: u64 = 4;

/// All links between all places.
#[derive(Debug)]
pub struct Network {
    settings: Settings,
    layout: Layout,
    links: Vec<Link>,
    weather: Vec<(usize, Weather)>,
    /// Chances of messages that no weather touches.
    calm: Chances,
    /// Whether every message arrives once and in order, cuts aside.
    is_calm: bool,
    fates: Numbered,
    /// Draws for loss in one direction: one a message.
    one_way: Numbered,
    /// Draws for varying latencies.
    latencies: Numbered,
    /// Messages sent.
    sent: u64,
    /// Cuts in force: the fault and the link.
    cutters: Vec<(usize, usize)>,
    /// Messages that faults touched.
    pub(crate) touches: Touches,
}

/// One direction between two places.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    cuts: Cuts,
    /// The latest arrival on it: later messages arrive no sooner, unless reordered.
    last_arrival: Instant,
    way: Way,
    /// Whether its latency is drawn.
    varies: bool,
    /// Least latency without weather and the most that jitter adds, in microseconds; unused if the latency is drawn.
    base: u64,
    jitter: u64,
}

/// The distance between two places.
#[derive(Clone, Copy, Debug, Default)]
enum Way {
    #[default]
    Client,
    WithinZone,
    BetweenZones,
}

impl Way {
    fn of(self, settings: &Settings) -> &Timing {
        match self {
            Self::Client => &settings.client,
            Self::WithinZone => &settings.within_zone,
            Self::BetweenZones => &settings.between_zones,
        }
    }
}

/// Chances of loss, duplication and so on of a message.
#[derive(Clone, Copy, Debug)]
struct Chances {
    loss: Ratio,
    /// Additional loss of one node's messages, in one direction.
    one_way: Ratio,
    duplicate: Ratio,
    reorder: Ratio,
    /// Factor on its latency.
    slow: u64,
}

impl Chances {
    /// Whether every message passes unchanged.
    fn lets_all_through(&self) -> bool {
        [self.loss, self.duplicate, self.reorder].into_iter().all(Ratio::is_never)
    }
}

/// A disturbance of all links between nodes, while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Messages are lost.
    Loss(Ratio),
    /// Messages arrive twice.
    Duplicate(Ratio),
    /// Messages overtake each other.
    Reorder(Ratio),
    /// Latencies are multiplied by this factor.
    Slow(u32),
    /// Messages from one node to others, or from others to it, are lost.
    OneWay {
        /// The node.
        node: Place,
        /// The only other end, if there is one.
        peer: Option<Place>,
        /// Whether messages to it are lost, rather than from it.
        inbound: bool,
        /// Share of the messages lost.
        chance: Ratio,
    },
}

impl Weather {
    /// Whether it strikes the link in this direction.
    fn strikes(self, from: Place, to: Place) -> bool {
        match self {
            Self::Loss(_) | Self::Duplicate(_) | Self::Reorder(_) | Self::Slow(_) => true,
            Self::OneWay { node, peer, inbound, .. } => {
                let (near, far) = if inbound { (to, from) } else { (from, to) };
                near == node && peer.is_none_or(|peer| peer == far)
            }
        }
    }
}

impl Network {
    /// Calm links between all places; nodes are spread over `zones` zones.
    pub fn new(settings: Settings, layout: Layout, zones: u16, seed: u64) -> Self {
        let zone = |node: NodeId| (node.0 - 1) % zones;
        let way = |from, to| match (from, to) {
            (Place::Node(from), Place::Node(to)) if zone(from) == zone(to) => Way::WithinZone,
            (Place::Node(_), Place::Node(_)) => Way::BetweenZones,
            (Place::Clients | Place::Node(_) | Place::Service(_) | Place::Director, _) => {
                Way::Client
            }
        };
        let link = |from, to| {
            let way = way(from, to);
            let (base, varies) = match way.of(&settings).constant() {
                Some(base) => (base.0, false),
                None => (0, true),
            };
            Link { way, varies, base, jitter: settings.jitter.of(base), ..Link::default() }
        };
        let all = |from| layout.places().map(move |to| (from, to));
        let links = layout.places().flat_map(all).map(|(from, to)| link(from, to)).collect();
        let calm = Chances {
            loss: settings.loss,
            one_way: Ratio::NEVER,
            duplicate: settings.duplicate,
            reorder: settings.reorder,
            slow: 1,
        };
        Self {
            settings,
            layout,
            links,
            weather: Vec::new(),
            calm,
            is_calm: calm.lets_all_through(),
            fates: Numbered::new(seed),
            one_way: Numbered::new(fork(seed, "one-way")),
            latencies: Numbered::new(fork(seed, "latency")),
            sent: 0,
            cutters: Vec::new(),
            touches: Touches::default(),
        }
    }

    /// The way of a message.
    pub const fn route(&self, from: Place, to: Place) -> Route {
        self.layout.route(from, to)
    }

    /// Sends a message that leaves at `departs`.
    ///
    /// The fate of a message is drawn by its number, so that it does not change the fate of the
    /// next.
    #[inline(always)]
    pub fn carry(&mut self, route: Route, departs: Instant) -> Carried {
        let (number, index) = (self.sent, self.layout.link(route));
        self.sent += 1;
        let link = &self.links[index];
        if self.is_calm && !link.cuts.is_cut() && !link.varies {
            return self.let_through::<false>((number, index), departs, self.calm);
        }
        self.carry_through(number, route, departs)
    }

    /// The general case: messages may be lost, duplicated or reordered, or latencies are drawn.
    #[inline(never)]
    fn carry_through(&mut self, number: u64, route: Route, departs: Instant) -> Carried {
        let index = self.layout.link(route);
        let (from, to) = (self.layout.place(route.from), self.layout.place(route.to));
        let between_nodes = from != Place::Clients && to != Place::Clients && from != to;
        let chances = match between_nodes && !self.weather.is_empty() {
            true => self.storm(from, to),
            false => self.calm,
        };
        let lost_with = |draw: u64, chance: Ratio| !chance.is_never() && hits(draw, chance);
        let befell = if self.links[index].cuts.is_cut() {
            Befell::CUT
        } else if lost_with(self.one_way.draw(number + 1), chances.one_way) {
            Befell::LOST_ONE_WAY
        } else if lost_with(self.fates.draw(number * FATES), chances.loss) {
            Befell::LOST
        } else {
            return self.let_through::<true>((number, index), departs, chances);
        };
        Carried { befell: Befell(befell), ..Carried::default() }
    }

    /// Latencies of a message that is not lost.
    #[inline]
    fn let_through<const DISTURBED: bool>(
        &mut self,
        (number, index): (u64, usize),
        departs: Instant,
        chances: Chances,
    ) -> Carried {
        let (fates, first) = (self.fates, number * FATES);
        let draw = |fate: u64| fates.draw(first + fate);
        let happens = |fate, chance: Ratio| chance.num > 0 && hits(draw(fate), chance);
        let link = &mut self.links[index];
        let (mut base, mut jitter) = (link.base, link.jitter);
        if DISTURBED {
            if link.varies {
                base = timing(self.latencies.draw(number + 1), link.way.of(&self.settings)).0;
                jitter = self.settings.jitter.of(base);
            }
            (base, jitter) = (base * chances.slow, jitter * chances.slow);
        }
        let mut latency = Span(base + below(draw(1), jitter + 1));
        let reordered = DISTURBED && happens(2, chances.reorder);
        if reordered {
            latency = latency + Span(below(draw(3), REORDERED * base + 1));
        }
        if happens(4, self.settings.tail) {
            latency = Span(latency.0 * u64::from(self.settings.tail_factor));
        }
        if !reordered {
            latency = latency.max(link.last_arrival.since(departs));
            link.last_arrival = departs + latency;
        }
        let duplicated = DISTURBED && happens(5, chances.duplicate);
        let second = duplicated.then(|| latency + Span(below(draw(6), 4 * base + 1)));
        let all = [
            (DISTURBED && chances.slow > 1, Befell::SLOWED),
            (reordered, Befell::REORDERED),
            (duplicated, Befell::DUPLICATED),
        ];
        let befell = all.into_iter().filter(|&(happened, _)| happened);
        let befell = Befell(befell.map(|(_, what)| what).sum());
        Carried { first: Some(latency), second, befell }
    }

    /// Chances of a message between two nodes in the weather in force.
    #[cold]
    fn storm(&self, from: Place, to: Place) -> Chances {
        let mut chances = self.calm;
        for (_, weather) in self.weather_on(from, to) {
            match weather {
                Weather::Loss(chance) => chances.loss = chance,
                Weather::Duplicate(chance) => chances.duplicate = chance,
                Weather::Reorder(chance) => chances.reorder = chance,
                Weather::Slow(factor) => chances.slow = u64::from(factor),
                Weather::OneWay { chance, .. } => chances.one_way = chance,
            }
        }
        chances
    }

    /// The weather in force on a link in one direction, with its faults.
    fn weather_on(&self, from: Place, to: Place) -> impl Iterator<Item = (usize, Weather)> {
        self.weather.iter().copied().filter(move |(_, weather)| weather.strikes(from, to))
    }

    /// Sends a message that first waits in a link's queue; `None` if the queue is full.
    #[inline(always)]
    pub fn carry_after(&mut self, route: Route, departs: Instant, waits: Option<Span>) -> Carried {
        match waits {
            Some(Span::ZERO) => self.carry(route, departs),
            waits => self.carry_late(route, departs, waits),
        }
    }

    #[cold]
    #[inline(never)]
    fn carry_late(&mut self, route: Route, departs: Instant, waits: Option<Span>) -> Carried {
        let carried = self.carry(route, departs + waits.unwrap_or_default());
        match waits {
            Some(waits) => Carried {
                first: carried.first.map(|latency| waits + latency),
                second: carried.second.map(|latency| waits + latency),
                befell: carried.befell,
            },
            None => Carried::default(),
        }
    }

    /// Latency of a signal that leaves at `departs`, is never lost by chance and overtakes nothing; `None` if the
    /// link is cut.
    pub fn follow(&self, from: Place, to: Place, departs: Instant) -> Option<Span> {
        let link = &self.links[self.index(from, to)];
        (!link.cuts.is_cut()).then(|| Span(link.base).max(link.last_arrival.since(departs)))
    }

    /// Whether one direction is cut now.
    pub fn is_cut(&self, from: Place, to: Place) -> bool {
        self.links[self.index(from, to)].cuts.is_cut()
    }

    /// Whether a message that left at `sent` was lost to a cut: the link is or was cut since.
    #[inline]
    pub fn severed_since(&self, route: Route, sent: Instant) -> bool {
        self.links[self.layout.link(route)].cuts.severed_since(sent)
    }

    /// Cuts one direction, for a fault.
    pub fn cut(&mut self, fault: usize, from: Place, to: Place) {
        let index = self.index(from, to);
        self.links[index].cuts.begin();
        self.cutters.push((fault, index));
    }

    /// Mends one direction that was cut once by `cut` for the same fault. Messages in flight stay lost.
    pub fn mend(&mut self, fault: usize, from: Place, to: Place, now: Instant) {
        let index = self.index(from, to);
        let cutter = self.cutters.iter().position(|&cut| cut == (fault, index));
        self.cutters.swap_remove(cutter.expect("only a cut link is mended"));
        self.links[index].cuts.end(now, fault);
    }

    /// Attributes to each fault in force what it did to a message on this link, beats aside.
    #[cold]
    pub fn note(&mut self, from: Place, to: Place, befell: Befell) {
        if befell.is(Befell::CUT) {
            return self.note_cut(from, to);
        }
        // Of two faults of one kind, the later one is in force.
        let mut kinds = [None; 5];
        for (fault, weather) in self.weather_on(from, to) {
            let (kind, touched) = match weather {
                Weather::Loss(_) => (0, befell.is(Befell::LOST)),
                Weather::Duplicate(_) => (1, befell.is(Befell::DUPLICATED)),
                Weather::Reorder(_) => (2, befell.is(Befell::REORDERED)),
                Weather::Slow(_) => (3, befell.is(Befell::SLOWED)),
                Weather::OneWay { .. } => (4, befell.is(Befell::LOST_ONE_WAY)),
            };
            if touched {
                kinds[kind] = Some(fault);
            }
        }
        kinds.into_iter().flatten().for_each(|fault| self.touches.message(fault));
    }

    /// Attributes to faults a message lost to a cut link, before or during its way.
    #[cold]
    pub fn note_cut(&mut self, from: Place, to: Place) {
        let index = self.index(from, to);
        let (link, touches) = (&self.links[index], &mut self.touches);
        if !link.cuts.is_cut() {
            return link.cuts.last_fault().into_iter().for_each(|fault| touches.message(fault));
        }
        let by = self.cutters.iter().filter(|&&(_, cut)| cut == index);
        by.for_each(|&(fault, _)| touches.message(fault));
    }

    /// Begins a disturbance, for a fault.
    pub fn disturb(&mut self, fault: usize, weather: Weather) {
        self.weather.push((fault, weather));
        self.is_calm = false;
    }

    /// Ends a fault's disturbance.
    pub fn settle(&mut self, fault: usize) {
        self.weather.retain(|&(of, _)| of != fault);
        self.is_calm = self.weather.is_empty() && self.calm.lets_all_through();
    }

    fn index(&self, from: Place, to: Place) -> usize {
        self.layout.link(self.route(from, to))
    }
}

#[cfg(test)]
mod tests;

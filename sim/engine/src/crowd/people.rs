//! The people inside: their state in flat chunks, dropped when everybody in a chunk has left.
//!
//! Owns the storage of a person's few bytes. Refuses to know what they mean to a session.

use onsale_booking::{Instant, SectionId};

/// People in a chunk, eight mebibytes: small enough to be freed one by one, and large enough for huge
/// pages, as access is random.
const CHUNK: u32 = 1 << 18;

/// The step that a person is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doing {
    /// Before arrival, in the waiting room, or gone.
    #[default]
    Away,
    /// Looking at the seat map, before asking for a hold.
    Picking,
    /// Asked for a hold.
    AskingHold,
    /// Paying for the hold.
    Paying,
    /// Paid; asked for the booking.
    AskingBooking,
    /// Asked to give the seats back.
    AskingRelease,
}

/// One person inside: 32 bytes within a cache line, as access to ten million is random.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub struct Person {
    /// Start of the current intention.
    pub intended: Instant,
    /// Instant at which the first hold was intended.
    pub began: Instant,
    /// The step that the person is at.
    pub doing: Doing,
    /// Number of the current request.
    pub sequence: u8,
    /// Attempts of the current request so far.
    pub attempt: u8,
    /// Replies heard to the current request so far.
    pub heard: u8,
    /// Fresh requests made after refusals.
    pub refreshes: u8,
    /// Changes whenever the person's pending act becomes void.
    pub stamp: u8,
    /// Whether an attempt is open: sent, and neither answered nor given up.
    pub waits: bool,
    /// Ticket of the client's patience, while an attempt is open.
    pub ticket: u32,
    /// Whether the current request names seats from the map.
    pub picks: bool,
    /// Section of the current wish.
    pub section: SectionId,
    /// Seats that the person wants.
    pub group: u8,
    /// Whether an attempt of the current request was refused as overloaded.
    pub turned_away: bool,
}

/// The people inside.
#[derive(Debug)]
pub struct People {
    chunks: Vec<Option<Chunk>>,
    /// The memory of a chunk that became empty, for the next one: if one person is inside at a time, it is
    /// needed again at once.
    spare: Option<Box<[Person]>>,
    users: u32,
    inside: u64,
}

#[derive(Debug)]
struct Chunk {
    inside: u32,
    people: Box<[Person]>,
}

impl People {
    /// A store for `users` people; memory is allocated as they come.
    pub fn new(users: u32) -> Self {
        let chunks = (0..users.div_ceil(CHUNK)).map(|_| None).collect();
        Self { chunks, spare: None, users, inside: 0 }
    }

    /// Number of people inside.
    pub const fn inside(&self) -> u64 {
        self.inside
    }

    /// Adds a person.
    pub fn enter(&mut self, user: u32, person: Person) {
        let size = (self.users - user / CHUNK * CHUNK).min(CHUNK);
        let spare = &mut self.spare;
        let chunk = self.chunks[(user / CHUNK) as usize].get_or_insert_with(|| {
            let spare = spare.take().filter(|people| people.len() == size as usize);
            let anew = || vec![Person::default(); size as usize].into_boxed_slice();
            Chunk { inside: 0, people: spare.unwrap_or_else(anew) }
        });
        chunk.inside += 1;
        chunk.people[(user % CHUNK) as usize] = person;
        self.inside += 1;
    }

    /// A person, if inside.
    #[inline]
    pub fn get(&mut self, user: u32) -> Option<&mut Person> {
        let chunk = self.chunks.get_mut((user / CHUNK) as usize)?.as_mut()?;
        let person = &mut chunk.people[(user % CHUNK) as usize];
        (person.doing != Doing::Away).then_some(person)
    }

    /// Changes a person inside in place: writing back a changed copy whole would stall on the small writes
    /// before it.
    #[inline]
    pub fn change(&mut self, user: u32, change: impl FnOnce(&mut Person)) {
        if let Some(person) = self.get(user) {
            change(person);
        }
    }

    /// Reads ahead the people who are needed next, so that their cache misses overlap. Changes nothing but the
    /// time it takes.
    pub fn read_ahead(&self, users: impl Iterator<Item = u32>) {
        let touched = users.fold(0, |touched, user| {
            let chunk = self.chunks.get((user / CHUNK) as usize).and_then(Option::as_ref);
            touched ^ chunk.map_or(0, |chunk| chunk.people[(user % CHUNK) as usize].stamp)
        });
        std::hint::black_box(touched);
    }

    /// Removes a person for good.
    pub fn leave(&mut self, user: u32) {
        let slot = &mut self.chunks[(user / CHUNK) as usize];
        let chunk = slot.as_mut().expect("only a person inside leaves");
        chunk.people[(user % CHUNK) as usize].doing = Doing::Away;
        chunk.inside -= 1;
        self.inside -= 1;
        if chunk.inside == 0 {
            self.spare = slot.take().map(|chunk| chunk.people);
        }
    }

    /// Everybody inside, in the order of numbers.
    pub fn all(&self) -> impl Iterator<Item = (u32, &Person)> {
        (0..).zip(&self.chunks).flat_map(|(chunk, slot)| {
            let people = slot.iter().flat_map(|chunk| chunk.people.iter());
            (chunk * CHUNK..).zip(people).filter(|(_, person)| person.doing != Doing::Away)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_costs_thirty_two_bytes_at_most() {
        assert!(size_of::<Person>() <= 32);
    }

    #[test]
    fn memory_is_freed_when_a_chunk_is_empty() {
        let mut people = People::new(CHUNK + 2);
        let person = Person { doing: Doing::Picking, ..Person::default() };
        for user in [0, CHUNK, CHUNK + 1] {
            people.enter(user, person);
        }
        assert_eq!(people.all().map(|(user, _)| user).collect::<Vec<_>>(), [0, CHUNK, CHUNK + 1]);
        people.leave(CHUNK);
        assert!(people.get(CHUNK).is_none());
        assert!(people.chunks[1].is_some());
        people.leave(CHUNK + 1);
        assert!(people.chunks[1].is_none());
        assert_eq!(people.inside(), 1);
        people.enter(CHUNK + 1, person);
        assert!(people.get(CHUNK).is_none(), "a person who left is away");
        assert!(people.spare.is_none() && people.get(CHUNK + 1).is_some());
    }
}

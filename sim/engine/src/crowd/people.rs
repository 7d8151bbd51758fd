//! The people who are inside: their state in flat chunks, dropped when all in a chunk are done.
//!
//! Owns where a person's few bytes live. Refuses to know what they mean to a session.

use onsale_booking::{Instant, SectionId};

/// Eight mebibytes of people: few enough to be given back one by one, and large enough that the system
/// can back them with large pages, as they are looked at in no order.
const CHUNK: u32 = 1 << 18;

/// What a person is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doing {
    /// Not come yet, in the waiting room, or gone.
    #[default]
    Away,
    /// Looking at the seat map; will ask for a hold.
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

/// One person inside. Thirty-two bytes that share a cache line: ten million are looked at in no order.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub struct Person {
    /// When the present intention began.
    pub intended: Instant,
    /// When the first hold was intended.
    pub began: Instant,
    /// What the person is doing.
    pub doing: Doing,
    /// Numbers the person's requests.
    pub sequence: u8,
    /// Attempts made with the present request.
    pub attempt: u8,
    /// Fresh requests made after refusals.
    pub refreshes: u8,
    /// Moves on whenever the timer of this person loses its meaning.
    pub stamp: u8,
    /// Whether an attempt is under way: sent, and neither answered nor given up.
    pub waits: bool,
    /// While it is, the ticket of the client's patience.
    pub ticket: u32,
    /// Whether the present request names seats from the map.
    pub picks: bool,
    /// The section of the present wish.
    pub section: SectionId,
    /// How many seats the person wants.
    pub group: u8,
    /// Whether an attempt with the present request was answered: too much was under way.
    pub turned_away: bool,
}

/// Everybody who is inside.
#[derive(Debug)]
pub struct People {
    chunks: Vec<Option<Chunk>>,
    /// The people of a chunk that became empty, all of them away: where one is inside at a time, it is wanted
    /// again at once.
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
    /// Room for `users` people; memory is taken as they come.
    pub fn new(users: u32) -> Self {
        let chunks = (0..users.div_ceil(CHUNK)).map(|_| None).collect();
        Self { chunks, spare: None, users, inside: 0 }
    }

    /// How many are inside.
    pub const fn inside(&self) -> u64 {
        self.inside
    }

    /// Lets a person in.
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

    /// A person who is inside.
    #[inline]
    pub fn get(&mut self, user: u32) -> Option<&mut Person> {
        let chunk = self.chunks.get_mut((user / CHUNK) as usize)?.as_mut()?;
        let person = &mut chunk.people[(user % CHUNK) as usize];
        (person.doing != Doing::Away).then_some(person)
    }

    /// Changes a person who is inside, in place: what would be changed in a copy and written back whole
    /// would wait for its own small writes.
    #[inline]
    pub fn change(&mut self, user: u32, change: impl FnOnce(&mut Person)) {
        if let Some(person) = self.get(user) {
            change(person);
        }
    }

    /// Reads ahead the people who are about to be looked at: their misses overlap, where one look after
    /// another would wait for each in turn. Changes nothing but the time it takes.
    pub fn read_ahead(&self, users: impl Iterator<Item = u32>) {
        let touched = users.fold(0, |touched, user| {
            let chunk = self.chunks.get((user / CHUNK) as usize).and_then(Option::as_ref);
            touched ^ chunk.map_or(0, |chunk| chunk.people[(user % CHUNK) as usize].stamp)
        });
        std::hint::black_box(touched);
    }

    /// A person leaves for good.
    pub fn leave(&mut self, user: u32) {
        let slot = &mut self.chunks[(user / CHUNK) as usize];
        let chunk = slot.as_mut().expect("who leaves was inside");
        chunk.people[(user % CHUNK) as usize].doing = Doing::Away;
        chunk.inside -= 1;
        self.inside -= 1;
        if chunk.inside == 0 {
            self.spare = slot.take().map(|chunk| chunk.people);
        }
    }

    /// Everybody inside, in order.
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
    fn memory_goes_when_a_chunk_is_empty() {
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
        assert!(people.get(CHUNK).is_none(), "who left is not back");
        assert!(people.spare.is_none() && people.get(CHUNK + 1).is_some());
    }
}

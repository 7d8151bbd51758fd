//! The plan of a hall: sections, rows and seats.
//!
//! Owns the numbering of seats. Refuses to know who has them.

use std::ops::Range;

use crate::id::{SeatId, SectionId};

/// The most seats in a row: they share one machine word.
pub const SEATS_PER_ROW_MAX: u16 = 64;

/// The immutable plan of a hall.
///
/// Seats are numbered from 0, section by section and row by row; so are rows. The
/// first row of a section is its best, and so is the middle of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hall {
    sections: u16,
    rows_per_section: u32,
    seats_per_row: u32,
}

impl Hall {
    /// A hall whose sections all have `rows` rows of `seats_per_row` seats.
    ///
    /// # Panics
    /// If a number is zero, a row is longer than [`SEATS_PER_ROW_MAX`], or the seats
    /// cannot be numbered in 32 bits.
    pub fn uniform(sections: u16, rows: u16, seats_per_row: u16) -> Self {
        assert!(sections > 0 && rows > 0, "a hall has a section, and a section a row");
        assert!((1..=SEATS_PER_ROW_MAX).contains(&seats_per_row), "a row has 1 to 64 seats");
        let seats = u64::from(sections) * u64::from(rows) * u64::from(seats_per_row);
        assert!(seats <= u64::from(u32::MAX), "seats are numbered in 32 bits");
        Self { sections, rows_per_section: rows.into(), seats_per_row: seats_per_row.into() }
    }

    /// Number of seats.
    pub fn seats(&self) -> u32 {
        self.rows() * self.seats_per_row
    }

    /// Number of sections.
    pub fn sections(&self) -> u16 {
        self.sections
    }

    /// Number of rows in all sections together.
    pub fn rows(&self) -> u32 {
        u32::from(self.sections) * self.rows_per_section
    }

    /// Number of seats in a row.
    pub fn seats_per_row(&self) -> u32 {
        self.seats_per_row
    }

    /// Number of seats in a section.
    pub fn seats_per_section(&self) -> u32 {
        self.rows_per_section * self.seats_per_row
    }

    /// Whether the seat exists.
    pub fn has_seat(&self, seat: SeatId) -> bool {
        seat.0 < self.seats()
    }

    /// Whether the section exists.
    pub fn has_section(&self, section: SectionId) -> bool {
        section.0 < self.sections
    }

    /// The section of a seat; `None` if there is no such seat.
    pub fn section_of(&self, seat: SeatId) -> Option<SectionId> {
        let section = u16::try_from(seat.0 / self.seats_per_section()).ok().map(SectionId)?;
        self.has_section(section).then_some(section)
    }

    /// The row of a seat; `None` if there is no such seat.
    pub fn row_of(&self, seat: SeatId) -> Option<u32> {
        self.has_seat(seat).then(|| seat.0 / self.seats_per_row)
    }

    /// The numbers of a section's rows, the best first; empty if there is no such section.
    pub fn rows_of(&self, section: SectionId) -> Range<u32> {
        if !self.has_section(section) {
            return 0..0;
        }
        let first = u32::from(section.0) * self.rows_per_section;
        first..first + self.rows_per_section
    }

    /// The numbers of a section's seats; empty if there is no such section.
    pub fn seats_of(&self, section: SectionId) -> Range<u32> {
        let rows = self.rows_of(section);
        rows.start * self.seats_per_row..rows.end * self.seats_per_row
    }

    /// The seat at a place of a row, both counted from 0.
    pub fn seat_at(&self, row: u32, place: u32) -> SeatId {
        debug_assert!(
            row < self.rows() && place < self.seats_per_row,
            "the place lies outside the hall"
        );
        SeatId(row * self.seats_per_row + place)
    }

    /// The row of a seat that must exist, and its place in the row.
    pub fn place_of(&self, seat: SeatId) -> (u32, u32) {
        debug_assert!(self.has_seat(seat), "the seat lies outside the hall");
        (seat.0 / self.seats_per_row, seat.0 % self.seats_per_row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_numbered_section_by_section_and_row_by_row() {
        let hall = Hall::uniform(3, 2, 5);
        assert_eq!((hall.seats(), hall.rows(), hall.seats_per_section()), (30, 6, 10));
        let table = [
            (0, Some((0, 0, 0))),
            (4, Some((0, 0, 4))),
            (5, Some((0, 1, 0))),
            (10, Some((1, 2, 0))),
            (29, Some((2, 5, 4))),
            (30, None),
            (u32::MAX, None),
        ];
        for (seat, place) in table {
            let seat = SeatId(seat);
            assert_eq!(hall.section_of(seat), place.map(|(section, _, _)| SectionId(section)));
            assert_eq!(hall.row_of(seat), place.map(|(_, row, _)| row));
            if let Some((_, row, place)) = place {
                assert_eq!(hall.place_of(seat), (row, place));
                assert_eq!(hall.seat_at(row, place), seat);
            }
        }
    }

    #[test]
    fn sections_are_ranges() {
        let hall = Hall::uniform(3, 2, 5);
        assert_eq!((hall.rows_of(SectionId(1)), hall.seats_of(SectionId(1))), (2..4, 10..20));
        assert_eq!((hall.rows_of(SectionId(3)), hall.seats_of(SectionId(3))), (0..0, 0..0));
    }

    #[test]
    #[should_panic(expected = "a row has 1 to 64 seats")]
    fn a_row_fits_a_word() {
        Hall::uniform(1, 1, 65);
    }
}

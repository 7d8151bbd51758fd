//! What a node with a clock of its own says, turned into true instants.
//!
//! Owns the way from what a node believes to what is. Refuses to know why clocks differ.

use onsale_cluster::Effects;

use onsale_world::clock::Reading;

/// Turns the instants that a node put on its messages by its own clock into true ones.
/// What the messages say, such as when a hold expires, stays as the node believes it.
pub(super) fn set_right(effects: &mut Effects, clock: Reading) {
    for sending in &mut effects.sends {
        sending.at = clock.when(sending.at);
        sending.message.retime(|at| clock.when(at));
    }
}

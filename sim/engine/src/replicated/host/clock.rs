//! Conversion of a node's clock readings to true instants.
//!
//! Owns the conversion of its effects. Refuses to know why clocks differ.

use onsale_cluster::Effects;

use onsale_world::clock::Reading;

/// Converts the instants that a node put on its messages by its own clock to true ones. The
/// contents, such as the expiry of a hold, stay in the node's time.
pub(super) fn set_right(effects: &mut Effects, clock: Reading) {
    for sending in &mut effects.sends {
        sending.at = clock.when(sending.at);
        sending.message.retime(|at| clock.when(at));
    }
}

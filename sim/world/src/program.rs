//! The program that a machine has installed.
//!
//! Owns its release, and whether that release has refused to run here. Refuses to know what differs between releases.

/// The program on one machine.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its release, by number from 1. A process runs the release that was installed when it started.
    release: u16,
    /// The fault that installed it in place of a newer one, if one did.
    rolled_back_by: Option<usize>,
    /// Whether a process of this release ended because it cannot run here: it is not started again.
    refused: bool,
}

impl Program {
    pub(crate) const fn new() -> Self {
        Self { release: 1, rolled_back_by: None, refused: false }
    }

    /// The installed release.
    pub const fn release(self) -> u16 {
        self.release
    }

    /// Whether the installed release has refused to run here.
    pub const fn has_refused(self) -> bool {
        self.refused
    }

    /// The fault that installed a release in place of a newer one, and so explains why it may refuse to run.
    pub const fn rolled_back_by(self) -> Option<usize> {
        self.rolled_back_by
    }

    /// Installs a release for the next start of the process, for a fault.
    pub const fn install(&mut self, release: u16, fault: usize) {
        let rolled_back_by = if release < self.release { Some(fault) } else { None };
        *self = Self { release, rolled_back_by, refused: false };
    }

    pub(crate) const fn refuse(&mut self) {
        self.refused = true;
    }
}

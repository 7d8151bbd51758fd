//! How failures tell of versions.
//!
//! Owns the lines of evidence about answers. Refuses to judge them.

use onsale_booking::{Instant, NodeId};
use onsale_cluster::Stamp;
use onsale_cluster::fact::{FactKey, FactText, Version};

use super::{Met, Reading};
use crate::seen::asked::SessionId;

impl Met {
    pub(super) fn told(self, session: SessionId, key: FactKey) -> String {
        let Self { stamp, node, at } = self;
        format!(
            "session {}: told at {at} by {node}: {key} in version {}",
            session.0,
            version_name(stamp)
        )
    }
}

pub(super) fn written(
    at: Instant,
    session: SessionId,
    key: FactKey,
    node: NodeId,
    stamp: Stamp,
) -> String {
    let version = version_name(stamp);
    format!("session {}: told at {at} by {node}: {key} is written in version {version}", session.0)
}

pub(super) fn read(reading: Reading<'_>, key: FactKey, found: Option<&Version>) -> String {
    let Reading { asked, at, session, node, .. } = reading;
    let who =
        session.map_or_else(|| "survey".to_owned(), |session| format!("session {}", session.0));
    let what = found.map_or_else(
        || "unknown".to_owned(),
        |version| {
            format!("version {}, {}", version_name(version.stamp), text(version.text.as_ref()))
        },
    );
    format!("{who}: asked at {asked}, told at {at} by {node}: {key}: {what}")
}

pub(super) fn version_name(stamp: Stamp) -> String {
    format!("{}+{} of {}", stamp.at, stamp.count, stamp.node)
}

pub(super) fn text(text: Option<&FactText>) -> String {
    text.map_or_else(|| "deleted".to_owned(), |text| format!("{text:?}"))
}

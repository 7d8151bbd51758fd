//! stub

pub mod oracle;

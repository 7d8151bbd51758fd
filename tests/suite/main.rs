//! stub

mod cli;

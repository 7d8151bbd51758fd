//! What one process supports, family by family and key by key, as files write it.

use std::io;

use super::*;

const SOLO: &str =
    "title = \"t\"\n[cluster]\nsystem = \"solo\"\nnodes = 1\nzones = 1\nshards = 1\nreplicas = 1\n";

fn read(text: &str) -> Result<Scenario, String> {
    let no_files = |_: &str| Err(io::Error::new(io::ErrorKind::NotFound, "no such file"));
    let read = Scenario::from_toml("x", "x.toml", text.as_bytes(), &no_files);
    read.map_err(|error| error.to_string())
}

/// A fault of a family as a file writes it, of the only node if it is of one. A new family needs one here.
fn written(family: Family) -> &'static str {
    match family {
        Family::Crash => "crash = { at = \"9s\", node = \"n1\", down = \"1s\" }",
        Family::Kill => "kill = { at = \"9s\", node = \"n1\", down = \"1s\" }",
        Family::Pause => "pause = { at = \"9s\", node = \"leader\", lasts = \"1s\" }",
        Family::ZoneLoss => "zone-loss = { at = \"9s\", zone = 1, down = \"1s\" }",
        Family::PowerLoss => "power-loss = { at = \"9s\", down = \"1s\" }",
        Family::Partition => "partition = { at = \"9s\", lasts = \"1s\", halves = true }",
        Family::Loss => "loss = { at = \"9s\", lasts = \"1s\", chance = \"1%\" }",
        Family::Duplicate => "duplicate = { at = \"9s\", lasts = \"1s\", chance = \"1%\" }",
        Family::Reorder => "reorder = { at = \"9s\", lasts = \"1s\", chance = \"1%\" }",
        Family::SlowNetwork => "slow-network = { at = \"9s\", lasts = \"1s\", factor = 2 }",
        Family::SlowDisk => {
            "slow-disk = { at = \"9s\", lasts = \"1s\", node = \"n1\", factor = 2 }"
        }
        Family::OneWayLoss => {
            "one-way-loss = { at = \"9s\", lasts = \"1s\", node = \"n1\", chance = \"1%\" }"
        }
        Family::Congestion => "congestion = { at = \"9s\", lasts = \"1s\", kib-per-s = 9 }",
        Family::Flapping => {
            "flapping = { at = \"9s\", lasts = \"1s\", node = \"n1\", down = \"1s\", up = \"1s\" }"
        }
        Family::Swizzle => {
            "swizzle = { at = \"9s\", lasts = \"1s\", cut = [\"n1\"], mend = [\"n1\"] }"
        }
        Family::ClockDrift => {
            "clock-drift = { at = \"9s\", lasts = \"1s\", node = \"n1\", by = \"1%\" }"
        }
        Family::ClockJump => {
            "clock-jump = { at = \"9s\", lasts = \"1s\", node = \"n1\", by = \"1s\" }"
        }
        Family::Limp => "limp = { at = \"9s\", lasts = \"1s\", node = \"n1\", factor = 2 }",
        Family::CrashLoop => {
            "crash-loop = { at = \"9s\", lasts = \"1s\", node = \"n1\", down = \"1s\", up = \"1s\" }"
        }
        Family::FsyncError => "fsync-error = { at = \"9s\", node = \"n1\", lasts = \"1s\" }",
        Family::DiskStall => "disk-stall = { at = \"9s\", lasts = \"1s\", node = \"n1\" }",
        Family::DiskFull => "disk-full = { at = \"9s\", lasts = \"1s\", node = \"n1\" }",
        Family::TornTail => "torn-tail = { at = \"9s\", node = \"n1\", down = \"1s\" }",
        Family::BitRot => "bit-rot = { at = \"9s\", node = \"n1\", lasts = \"1s\" }",
        Family::Wipe => "wipe = { at = \"9s\", node = \"n1\", down = \"1s\" }",
        Family::Restart => "restart = { at = \"9s\", node = \"n1\", down = \"1s\" }",
        Family::RollingRestart => {
            "rolling-restart = { at = \"9s\", lasts = \"9s\", down = \"1s\" }"
        }
        Family::Upgrade => "upgrade = { at = \"9s\", lasts = \"9s\", down = \"1s\" }",
        Family::MajorityLoss => {
            "majority-loss = { at = \"9s\", lasts = \"9s\", nodes = [\"n1\"], by = [], after = \"5s\" }"
        }
        Family::Replace => "replace = { at = \"9s\", lasts = \"1s\", node = \"n1\", by = \"n2\" }",
        Family::Join => "join = { at = \"9s\", lasts = \"1s\", nodes = [\"n2\"] }",
        Family::Leave => "leave = { at = \"9s\", lasts = \"1s\", nodes = [\"n1\"] }",
        Family::LyingDisk => "lying-disk = { at = \"9s\", node = \"n1\", lasts = \"1s\" }",
    }
}

/// Each is played, or refused at its own line with the reason and what would be supported.
#[test]
fn every_family_strikes_one_process_or_is_refused_where_it_stands() {
    let mut refused = 0;
    for &family in Family::EVERY {
        let told = read(&format!("{SOLO}[[fault]]\n{}\n", written(family)));
        let Some(why) = System::Solo.lacks(family) else {
            assert!(told.is_ok(), "{family}: {told:?}");
            continue;
        };
        refused += 1;
        let told = told.expect_err("what is not supported is refused");
        let expected = format!(
            ": fault[0].{family}: the system \"solo\" does not support `{family}`: {why}; it supports crash, "
        );
        assert!(told.contains("x.toml:9:") && told.contains(&expected), "{family}: {told}");
    }
    assert!(refused > 0 && refused < Family::EVERY.len(), "{refused} refused");
    assert!(Family::EVERY.iter().all(|&family| System::Replicated.supports(family)));
}

#[test]
fn every_family_that_a_swarm_draws_is_supported() {
    for &family in Family::EVERY.iter().filter(|family| family.may_be_drawn()) {
        let told = read(&format!("{SOLO}[swarm]\nfamilies = [\"{family}\"]\n"));
        assert_eq!(told.is_ok(), System::Solo.supports(family), "{family}: {told:?}");
        if let Err(told) = told {
            assert!(told.contains("x.toml:9:13: swarm.families[0]: "), "{told}");
        }
    }
    let told = read(&format!("{SOLO}[swarm]\n")).expect_err("it draws of all families");
    assert!(told.contains(": swarm.families: ") && told.contains("pause"), "{told}");
}

#[test]
fn what_one_process_has_not_got_is_refused_at_its_key() {
    let cases = [
        ("spares = 1", "cluster.spares"),
        ("cores = 2", "cluster.cores"),
        ("partition-by = \"event\"", "cluster.partition-by"),
        ("on-suspicion = \"down\"", "cluster.on-suspicion"),
        ("[cluster.leader]\nreads = \"local\"", "cluster.leader.reads"),
        ("[cluster.leader]\nacknowledge = \"own-disk\"", "cluster.leader.acknowledge"),
        ("[cluster.journal]\npromises = \"before-write\"", "cluster.journal.promises"),
        ("[cluster.leader-placement]\nby-load = true", "cluster.leader-placement.by-load"),
        ("[cluster.membership]\nstatic-quorum = 1", "cluster.membership.static-quorum"),
        ("[cluster.gateway]\ntries = 2", "cluster.gateway.tries"),
        ("[cluster.facts]\nsessions = \"ignored\"", "cluster.facts.sessions"),
        ("[sale]\nexpiry = \"swept\"", "sale.expiry"),
        ("[sale]\nvenues = [1]", "sale.venues"),
        ("[costs]\nroute = \"9ms\"", "costs.route"),
        ("[network]\nwithin-zone = \"90ms\"", "network.within-zone"),
        ("[disk]\ngood-copies = \"any\"", "disk.good-copies"),
        ("[facts]", "facts"),
        ("[expect]\nexercised = [\"facts\"]", "expect.exercised[0]"),
        ("[expect]\nexercised = [\"raft\"]", "expect.exercised[0]"),
        ("[expect]\nfails = \"durable\"\nwithin = 1", "expect.fails"),
        ("[expect]\nmarks = [\"peer-suspected\"]", "expect.marks[0]"),
        ("[expect]\nfails = \"facts\"\nwithin = 1", "expect.fails"),
        (
            "[[fault]]\nflapping = { at = \"9s\", lasts = \"1s\", node = \"n1\", peer = \"leader\", down = \"1s\", up = \"1s\" }",
            "fault[0].flapping.peer",
        ),
        (
            "[[fault]]\ncrash = { at = \"9s\", node = \"follower\", down = \"1s\" }",
            "fault[0].crash.node",
        ),
        ("[[fault]]\ncrash = { at = \"9s\", node = \"n2\", down = \"1s\" }", "fault[0].crash.node"),
        (
            "[[fault]]\nzone-loss = { at = \"9s\", zone = 2, down = \"1s\" }",
            "fault[0].zone-loss.zone",
        ),
    ];
    for (body, field) in cases {
        let told = read(&format!("{SOLO}{body}\n")).expect_err(body);
        assert!(
            told.starts_with("x.toml:") && told.contains(&format!(": {field}: ")),
            "{body}: {told}"
        );
    }
    // Rules about the nodes of a cluster have nothing to say of one process.
    let told =
        read(&format!("{SOLO}[cluster.membership]\nstatic-quorum = 2\n")).expect_err("quorum");
    assert!(!told.contains("split") && told.lines().count() == 1, "{told}");
    for key in ["nodes", "zones", "shards", "replicas"] {
        let text = SOLO.replace(&format!("{key} = 1"), &format!("{key} = 3"));
        let told = read(&text).expect_err(key);
        assert!(told.contains(&format!(": cluster.{key}: 3 {key} of a system")), "{told}");
    }
    for sound in [
        "[cluster.leader]\nacknowledge = \"proposal\"",
        "[costs]\ndecide = \"9ms\"",
        "[network]\nclient = \"9ms\"",
        "",
    ] {
        let told = read(&format!("{SOLO}{sound}\n"));
        assert!(told.is_ok(), "{sound}: {told:?}");
    }
}

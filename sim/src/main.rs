//! scratch
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let scenario = onsale_scenarios::catalogue::load(&args[1]).unwrap();
    let from: u64 = args[2].parse().unwrap();
    let to: u64 = args.get(3).map_or(from + 1, |a| a.parse().unwrap());
    for seed in from..to {
        let plan = onsale_sim::plan::Plan::new(&scenario, seed);
        let outcome = onsale_sim::run::run(&plan, &Default::default(), Default::default());
        if to - from == 1 {
            println!("{}", onsale_reports::terminal::render(&outcome.summary, false, 120));
            println!("{:?}", outcome.marks);
        } else {
            let f = &outcome.summary.facts;
            println!("{seed} {} wall {:.3} events {} sold {} {:?} misses {:?}", f.trace_hash, f.wall_s, f.events, f.sold_seats, outcome.failed(), f.must_exercise_misses);
        }
    }
}

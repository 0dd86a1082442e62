//! Broken manifests by the thousand: every answer is a model or problems, never a panic, and problems can always be printed.

use std::ops::AddAssign as _;

use manifest::edit;
use types::Code;

use crate::support::load;

const GOOD: &str = "app = \"shop\"\nsince = \"2026-11-21\"\n[fn.api]\npath = \"api\"\nroute = [\"GET /a/{id}\", \"/é/{*rest}\"]\n\
    uses = [\"kv.s:read\"]\nreach = [\"https://[::1]:80\"]\nenv = { A = \"ü\" }\nlimits = { memory = \"64MiB\", time = \"10s\", \
    concurrency = 2 }\nrecord = \"1%\"\non = { event = \"a.*\", filter = \"event.data.x > 1\", batch = 2 }\n[fn.w]\npath = \"api\"\non = { cron = \"0 6 * * mon-fri\", \
    zone = \"Europe/Berlin\", dead = \"d\" }\nuses = [\"kv.x\"]\n[kv.x]\nexpire = \"1d\"\n[site]\ndir = \"site\"\n[env.dev]\ndomain = \"a.b\"\n[env.dev.fn.api.limits]\nconcurrency = 3\n";

/// Pieces that are likelier to hit something than single letters are.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    "\n",
    "\r\n",
    "\t",
    "#",
    ",",
    ":",
    "/",
    "*",
    "é",
    "\u{1b}",
    "\0",
    "\u{feff}",
    "0",
    "-1",
    "1e9",
    "99999999999999999999999999999999999999999",
    "true",
    "2026-11-21",
    "[fn.api]\n",
    "[env.x.fn.y]\n",
    "[[fn]]\n",
    "fn = 1\n",
    "limits",
    "memory",
    "path",
    "\"\"\"",
    "0x",
    "nan",
    "{}",
    "/{a}/{a}",
    "kv.",
    "on",
    "cron = \"0 0 30 2 *\"",
    "queue = \"q\", ",
    "event",
    "((((((((",
    "* * * * *",
    "[kv.y]\n",
    "://",
];

/// SplitMix64: <https://prng.di.unimi.it/splitmix64.c>.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound.max(1) as u64).expect("it is below a usize")
    }
}

fn mutate(random: &mut Random) -> String {
    let mut text: Vec<char> = GOOD.chars().collect();
    for _ in 0..=random.below(3) {
        let at = random.below(text.len());
        let end = (at + random.below(12)).min(text.len());
        match random.below(4) {
            0 => drop(text.drain(at..end)),
            1 => drop(text.splice(at..at, PIECES[random.below(PIECES.len())].chars())),
            2 => drop(text.splice(at..end, PIECES[random.below(PIECES.len())].chars())),
            _ => {
                let copy = text[at..end].to_vec();
                let to = random.below(text.len());
                drop(text.splice(to..to, copy));
            }
        }
    }
    text.into_iter().collect()
}

#[test]
fn no_mutation_of_a_good_manifest_makes_it_panic() {
    let seed = std::env::var("DAYFLY_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x00da_7f17_u64);
    println!("repeat with DAYFLY_SEED={seed}");
    let mut random = Random(seed);
    assert!(load(GOOD, "dev").is_ok(), "what is mutated is good");
    let (mut good, mut broken, mut refused) = (0, 0, 0);
    for _ in 0..3_000 {
        let source = mutate(&mut random);
        match load(&source, "dev") {
            Ok(_) => good += 1,
            Err(problems) => {
                assert!(!problems.is_empty(), "a refusal says why: {source:?}");
                let is_toml = problems.iter().all(|problem| problem.code != Code::E0102);
                (if is_toml { &mut refused } else { &mut broken }).add_assign(1);
                for problem in problems {
                    let shown = problem.render();
                    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?} of {source:?}");
                }
            }
        }
        let (function, reach) = ("api".parse().expect("a name"), "https://x.example".parse().expect("a host"));
        if let Ok(edited) = edit::allow_reach(&source, "dayfly.toml", &function, &reach) {
            assert!(edited.source.contains("https://x.example"), "{source:?}");
        }
    }
    assert!(
        good > 20 && broken > 200 && refused > 200,
        "every outcome is reached: {good} good, {broken} broken, {refused} refused"
    );
}

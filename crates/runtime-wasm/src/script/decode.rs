//! A script as an artifact: bytes in, a program whose parts fit together out.
//!
//! The bytes may come from a stranger. Reading them allocates no more than they hold, and what comes out keeps the limits and names only modules that
//! are there, so that the engine need not doubt it.

use std::collections::HashSet;

use types::{ByteCount, Code, Digest, Problem, Script, limits, wire::SCRIPT_MAGIC};

/// Names of the engine's own modules begin so: no script may put its own in their place.
const PLATFORM: &str = "dayfly:";
/// Names of modules that are put into scripts begin so, such as those of packages that the platform stands in for.
const PROVIDED: &str = "dayfly:script/";

/// Whether these bytes are meant to be a script. No component begins so.
pub(crate) fn is_script(artifact: &[u8]) -> bool {
    artifact.starts_with(SCRIPT_MAGIC)
}

/// The script.
///
/// # Errors
/// `E0317` if it is over a limit, `E0305` if the bytes are no script or another than the digest says.
pub(crate) fn decode(digest: &Digest, artifact: &[u8]) -> Result<Script, Problem> {
    let measured = ByteCount(artifact.len() as u64);
    if measured > limits::SCRIPT {
        return Err(Problem::limit(Code::E0317, "script", measured, limits::SCRIPT));
    }
    let found = Digest::from_bytes(*blake3::hash(artifact).as_bytes());
    if found != *digest {
        return Err(Problem::new(Code::E0305, format!("the script's digest is {found}, expected {digest}"))
            .help("upload it again: it changed on its way"));
    }
    let damaged = |why: &str| Problem::new(Code::E0305, format!("the script is damaged: {why}")).help("deploy it again");
    let body = artifact.strip_prefix(SCRIPT_MAGIC).ok_or_else(|| damaged("it does not begin as one"))?;
    let script = match postcard::take_from_bytes::<Script>(body) {
        Ok((script, [])) => script,
        Ok((_, rest)) => return Err(damaged(&format!("{} bytes stand behind it", rest.len()))),
        Err(error) => return Err(damaged(&error.to_string())),
    };
    check_sizes(&script)?;
    check_names(&script).map_err(|why| damaged(&why))?;
    Ok(script)
}

fn check_sizes(script: &Script) -> Result<(), Problem> {
    let modules = script.modules.len();
    if modules > limits::SCRIPT_MODULES {
        return Err(Problem::limit(Code::E0317, "script modules", modules, limits::SCRIPT_MODULES));
    }
    for module in &script.modules {
        let original = module.original.as_ref().map_or(0, |original| original.text.len());
        let measured = ByteCount(original.max(module.code.len()) as u64);
        if measured > limits::SCRIPT_FILE {
            let problem = Problem::limit(Code::E0317, "script file", measured, limits::SCRIPT_FILE);
            return Err(problem.note(crate::backtrace::printable(&module.name, 200)));
        }
    }
    Ok(())
}

fn check_names(script: &Script) -> Result<(), String> {
    let shown = |name: &str| format!("{:?}", crate::backtrace::printable(name, 200));
    let mut names = HashSet::with_capacity(script.modules.len());
    if let Some(twice) = script.modules.iter().find(|module| !names.insert(module.name.as_str())) {
        return Err(format!("it has two modules {}", shown(&twice.name)));
    }
    let is_taken = |name: &str| name.starts_with(PLATFORM) && !name.starts_with(PROVIDED);
    if let Some(module) = script.modules.iter().find(|module| is_taken(&module.name)) {
        return Err(format!("{} is a name of the platform's own", shown(&module.name)));
    }
    let links = script.modules.iter().flat_map(|module| &module.links).map(|(_, name)| name);
    match links.chain([&script.entry]).find(|name| !names.contains(name.as_str())) {
        Some(missing) => Err(format!("it has no module {}", shown(missing))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use types::script::{Module, ModuleKind};

    use super::*;

    fn module(name: &str, links: &[&str]) -> Module {
        let links = links.iter().map(|name| (format!("./{name}"), (*name).to_owned())).collect();
        let (code, exports) = ("export default {}".to_owned(), Vec::new());
        Module { name: name.into(), kind: ModuleKind::Module, code, links, exports, original: None }
    }

    fn encoded(entry: &str, modules: Vec<Module>) -> Vec<u8> {
        let script = Script { entry: entry.into(), modules, bindings: Vec::new(), handlers: vec!["fetch".into()] };
        [&SCRIPT_MAGIC[..], &postcard::to_stdvec(&script).expect("encoded")].concat()
    }

    fn decoded(artifact: &[u8]) -> Result<Script, Problem> {
        decode(&Digest::from_bytes(*blake3::hash(artifact).as_bytes()), artifact)
    }

    #[test]
    fn a_script_is_read_and_what_does_not_fit_together_is_refused() {
        let good = encoded("a.js", vec![module("a.js", &["b.js"]), module("b.js", &["a.js"])]);
        assert!(is_script(&good) && decoded(&good).is_ok());
        let check = |artifact: &[u8], words: &str| {
            let problem = decoded(artifact).expect_err(words);
            assert!(problem.code == Code::E0305 && problem.message.contains(words), "{problem}");
        };
        check(&encoded("c.js", vec![module("a.js", &[])]), "no module \"c.js\"");
        check(&encoded("a.js", vec![module("a.js", &["c.js"])]), "no module \"c.js\"");
        check(&encoded("a.js", vec![module("a.js", &[]), module("a.js", &[])]), "two modules \"a.js\"");
        check(&encoded("a.js", vec![module("a.js", &["dayfly:native"]), module("dayfly:native", &[])]), "the platform's own");
        assert!(
            decoded(&encoded("a.js", vec![module("a.js", &["dayfly:script/empty"]), module("dayfly:script/empty", &[])])).is_ok()
        );
        check(&[&good[..], b"more"].concat(), "4 bytes stand behind it");
        let other = decode(&Digest::from_bytes([1; 32]), &good).expect_err("another digest");
        assert_eq!(other.code, Code::E0305);
    }

    #[test]
    fn limits_are_kept_and_named() {
        let mut large = module("a.js", &[]);
        large.code = " ".repeat(limits::SCRIPT_FILE.as_usize() + 1);
        let problem = decoded(&encoded("a.js", vec![large])).expect_err("a large file");
        assert_eq!((problem.code, problem.notes.as_slice()), (Code::E0317, &["a.js".to_owned()][..]));
        let many = (0..=limits::SCRIPT_MODULES).map(|number| module(&format!("{number}.js"), &[])).collect();
        assert_eq!(decoded(&encoded("0.js", many)).expect_err("many modules").code, Code::E0317);
        let huge = [&SCRIPT_MAGIC[..], &vec![0; limits::SCRIPT.as_usize()]].concat();
        assert_eq!(decoded(&huge).expect_err("a huge script").code, Code::E0317);
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_an_error_or_another_script() {
        let whole = encoded("a.js", vec![module("a.js", &["b.js"]), module("b.js", &[])]);
        for end in 0..whole.len() {
            assert!(decoded(&whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0xff;
            let _ = decoded(&flipped);
        }
    }
}

//! A recorded invocation as one file: its journal and the component that it ran, enough to replay it on another machine.
//!
//! Form: [`EXPORT_MAGIC`], the postcard encoding of [`Export`], and the blake3 digest of all before it.

use bytes::Bytes;
use types::{
    Code, Problem, Script,
    wire::{EXPORT_MAGIC, Export, SCRIPT_MAGIC},
};

const DIGEST_BYTES: usize = 32;

/// The file's bytes.
#[must_use]
pub fn encode(export: &Export) -> Bytes {
    let body = postcard::to_stdvec(export).expect("an export holds nothing that postcard can't encode");
    let mut file = [EXPORT_MAGIC.as_slice(), &body].concat();
    file.extend_from_slice(blake3::hash(&file).as_bytes());
    file.into()
}

/// Reads the file back.
///
/// # Errors
/// `E0805` if it is not such a file, or not as it was written; `E0804` if the component is not the one that the journal names.
pub fn decode(file: &[u8]) -> Result<Export, Problem> {
    let unreadable = |why: &str| Problem::new(Code::E0805, format!("the file is not an exported invocation: {why}"));
    let rest = file.strip_prefix(EXPORT_MAGIC.as_slice()).ok_or_else(|| unreadable("it does not begin as exports do"))?;
    let body_bytes = rest.len().checked_sub(DIGEST_BYTES).ok_or_else(|| unreadable("it is cut short"))?;
    let (signed, digest) = file.split_at(EXPORT_MAGIC.len() + body_bytes);
    if blake3::hash(signed).as_bytes() != digest {
        return Err(unreadable("it is cut short or was changed"));
    }
    let export: Export = postcard::from_bytes(&rest[..body_bytes]).map_err(|error| unreadable(&error.to_string()))?;
    let recorded = export.journal.invoke.artifact;
    if export.digest != recorded || blake3::hash(&export.component).as_bytes() != recorded.as_bytes() {
        return Err(Problem::new(Code::E0804, format!("the file's component is not {recorded}, which the journal names")));
    }
    Ok(export)
}

/// Another script with the bindings and handlers that the recorded one has: it is tried in the place of that. What is no script is left as
/// it is.
#[must_use]
pub fn in_place_of(recorded: &[u8], other: Bytes) -> Bytes {
    let script = |artifact: &[u8]| postcard::from_bytes::<Script>(artifact.strip_prefix(SCRIPT_MAGIC.as_slice())?).ok();
    let (Some(recorded), Some(tried)) = (script(recorded), script(&other)) else { return other };
    let tried = Script { bindings: recorded.bindings, handlers: recorded.handlers, ..tried };
    postcard::to_extend(&tried, SCRIPT_MAGIC.to_vec()).expect("a script has only what postcard writes, and a Vec grows").into()
}

#[cfg(test)]
mod tests {
    use types::script::{Binding, BindingKind};

    use super::*;

    fn script(entry: &str, bindings: Vec<Binding>, handlers: &[&str]) -> Bytes {
        let handlers = handlers.iter().map(|name| (*name).to_owned()).collect();
        let script = Script { entry: entry.into(), modules: Vec::new(), bindings, handlers };
        postcard::to_extend(&script, SCRIPT_MAGIC.to_vec()).expect("it is written").into()
    }

    #[test]
    fn a_script_that_is_tried_has_the_recorded_environment() {
        let bindings = vec![Binding { kind: BindingKind::Kv, name: "cart".into() }];
        let recorded = script("api.ts", bindings.clone(), &["fetch"]);
        let tried = in_place_of(&recorded, script("other.ts", Vec::new(), &[]));
        assert_eq!(tried, script("other.ts", bindings, &["fetch"]));
        for (recorded, other) in [(&recorded, Bytes::from_static(b"\0asm")), (&Bytes::from_static(b"\0asm"), recorded.clone())] {
            assert_eq!(in_place_of(recorded, other.clone()), other);
        }
    }
}

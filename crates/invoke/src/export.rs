//! A recorded invocation as one file: its journal and the component that it ran, enough to replay it on another machine.
//!
//! Form: [`EXPORT_MAGIC`], the postcard encoding of [`Export`], and the blake3 digest of all before it.

use bytes::Bytes;
use types::{
    Code, Problem,
    wire::{EXPORT_MAGIC, Export},
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

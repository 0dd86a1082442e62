//! What the prelude tells the machine of the script.

use rquickjs::{Ctx, Function, Object, Result};

use crate::machine;

/// `noteWrongAnswer()`: the exception that is thrown next says that the handler gave what it may not.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("noteWrongAnswer", Function::new(ctx.clone(), machine::note_wrong_answer)?)
}

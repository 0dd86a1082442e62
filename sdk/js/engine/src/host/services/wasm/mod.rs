//! The services as `wit/` has them: the same functions as the models, over the interfaces that a component imports.

pub(crate) mod bucket;
pub(crate) mod bus;
pub(crate) mod config;
pub(crate) mod kv;
pub(crate) mod queue;
pub(crate) mod sql;
pub(crate) mod stream;

/// Gives an interface's error the words of ours; each names its cases in the same way.
macro_rules! told {
    ($error:path { $($case:ident => $code:literal),* $(,)? } $(with { $($more:tt)* })?) => {
        fn told(error: $error) -> crate::host::services::Failed {
            use $error as Error;
            use crate::host::services::Failed;
            match error {
                $(Error::$case(text) => Failed::new($code, text),)*
                $($($more)*)?
            }
        }
    };
}
use told;

//! Chance, which comes from the host and is recorded there.

use ::rsa::rand_core::{TryCryptoRng, TryRng};
use core::convert::Infallible;
use rquickjs::{Ctx, Function, Object, Result, TypedArray};

use crate::host;
use crate::machine::phase;
use crate::natives::bytes;

/// `randomFill(bytes)`. At deploy it throws: what is random must not be the same for all requests.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("randomFill", Function::new(ctx.clone(), fill)?)
}

fn fill<'js>(ctx: Ctx<'js>, mut into: TypedArray<'js, u8>) -> Result<()> {
    phase::only_when_serving(&ctx, "randomness from `crypto`")?;
    let into = bytes::of_mut(&mut into);
    into.copy_from_slice(&host::random(into.len()));
    Ok(())
}

/// Asks the host for so many bytes at once: each question is recorded, and a key asks often for a few.
const CHUNK_BYTES: usize = 256;

/// The host's chance for RustCrypto. To be made where `phase::only_when_serving` has let through.
#[derive(Default)]
pub(super) struct HostRng(Vec<u8>);

impl HostRng {
    /// A source; throws at deploy.
    pub(super) fn new(ctx: &Ctx<'_>) -> Result<Self> {
        phase::only_when_serving(ctx, "randomness from `crypto`")?;
        Ok(Self::default())
    }

    /// A source, if there may be one now.
    pub(super) fn if_serving() -> Option<Self> {
        (phase::current() == phase::Phase::Serve).then(Self::default)
    }
}

impl TryRng for HostRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> core::result::Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> core::result::Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> core::result::Result<(), Infallible> {
        for byte in into {
            if self.0.is_empty() {
                self.0 = host::random(CHUNK_BYTES);
            }
            *byte = self.0.pop().expect("the host gives as many bytes as it is asked for");
        }
        Ok(())
    }
}

impl TryCryptoRng for HostRng {}

//! Bodies beyond reading them: one that goes from the host to the host, and bytes that are looked for in a form.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray, Value};

use super::bytes;
use super::http::{self, Bodies, Writers};
use super::packed::Source;
use crate::host::http::Writer;
use crate::host::http_types::{Read, Written};
use crate::machine::events::{self, Owner, Step};

/// `bodyPipe(body, writer, asItCame)` gives, now or later, undefined; it takes both over. `bytesIndexOf(bytes, wanted, start)` gives an index, or -1.
pub(crate) fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set("bodyPipe", Function::new(ctx.clone(), body_pipe)?)?;
    native.set("bytesIndexOf", Function::new(ctx.clone(), bytes_index_of)?)
}

/// No JavaScript runs for a chunk, and no more than one is in memory.
fn body_pipe<'js>(ctx: Ctx<'js>, body: u32, writer: u32, as_it_came: bool) -> Result<Value<'js>> {
    let (Some(body), Some(writer)) = (Bodies::take(body), Writers::take(writer)) else {
        return Err(Exception::throw_type(&ctx, "this stream was closed"));
    };
    if as_it_came {
        body.borrow_mut().leave_packed();
    }
    let mut pipe = Pipe { body, writer: Some(writer), chunk: Vec::new(), written: 0 };
    events::until_ready(&ctx, Owner::new(), move |ctx| pipe.advance(ctx))
}

struct Pipe {
    body: Rc<RefCell<Source>>,
    writer: Option<Writer>,
    chunk: Vec<u8>,
    /// How much of the chunk was taken.
    written: usize,
}

impl Pipe {
    fn advance<'js>(&mut self, ctx: &Ctx<'js>) -> Result<Step<'js>> {
        loop {
            let Some(writer) = self.writer.as_mut() else { return Ok(Step::Ready(Value::new_undefined(ctx.clone()))) };
            if self.written < self.chunk.len() {
                match writer.write(&self.chunk[self.written..]) {
                    Written::Taken(count) => self.written += count,
                    Written::Wait(pollable) => return Ok(Step::Wait(pollable)),
                    Written::Closed(why) => return self.fail(ctx, &why),
                }
                continue;
            }
            match self.body.borrow_mut().read() {
                Read::Bytes(bytes) => (self.chunk, self.written) = (bytes, 0),
                Read::Wait(pollable) => return Ok(Step::Wait(pollable)),
                Read::End => {
                    if let Some(writer) = self.writer.take() {
                        http::finish(ctx, writer)?;
                    }
                }
                Read::Failed(why) => {
                    self.writer = None;
                    return Err(Exception::throw_type(ctx, &why));
                }
            }
        }
    }

    /// A writer that is dropped without an end breaks its message off.
    fn fail<'js>(&mut self, ctx: &Ctx<'js>, why: &str) -> Result<Step<'js>> {
        self.writer = None;
        Err(Exception::throw_type(ctx, why))
    }
}

fn bytes_index_of(data: TypedArray<'_, u8>, wanted: TypedArray<'_, u8>, start: usize) -> i64 {
    let found = find(bytes::of(&data), bytes::of(&wanted), start);
    found.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1)
}

/// Where `wanted` begins in `data`, at `start` or later.
fn find(data: &[u8], wanted: &[u8], start: usize) -> Option<usize> {
    memchr::memmem::find(data.get(start..)?, wanted).map(|index| start + index)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn bytes_are_found_at_or_after_the_start() {
        assert_eq!(find(b"--b\r\n--b", b"--b", 0), Some(0));
        assert_eq!(find(b"--b\r\n--b", b"--b", 1), Some(5));
        assert_eq!(find(b"--b", b"--b", 1), None);
        assert_eq!(find(b"--b", b"--b", 9), None);
    }
}

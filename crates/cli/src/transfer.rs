//! Long copies: bodies that are sent and received piece by piece, with a bar for whoever looks on.

use std::{
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::{
    fs::File,
    io::{AsyncRead as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
};
use types::{Code, Problem};

use crate::print;

/// Bytes that are read from a file at once.
const PIECE: usize = 256 << 10;

/// A file as the body of a request.
pub(crate) struct FileBody {
    file: File,
    left: u64,
    bar: ProgressBar,
}

impl FileBody {
    /// Opens the file; its size now is the body's.
    ///
    /// # Errors
    /// `E0709` if it can't be read.
    pub(crate) async fn open(path: &Path) -> Result<Self, Problem> {
        let unreadable = |error| Problem::new(Code::E0709, format!("cannot read {}: {error}", path.display()));
        let file = File::open(path).await.map_err(unreadable)?;
        let left = file.metadata().await.map_err(unreadable)?.len();
        Ok(Self { file, left, bar: bar(left) })
    }
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = BytesMut::zeroed(PIECE.min(usize::try_from(self.left).unwrap_or(PIECE)));
        let mut buffer = ReadBuf::new(&mut piece);
        let read = std::task::ready!(Pin::new(&mut self.file).poll_read(cx, &mut buffer)).map(|()| buffer.filled().len());
        Poll::Ready(match read {
            Ok(0) => Some(Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the file became shorter meanwhile"))),
            Ok(read) => {
                self.left -= read as u64;
                self.bar.inc(read as u64);
                piece.truncate(read);
                Some(Ok(Frame::data(piece.freeze())))
            }
            Err(error) => Some(Err(error)),
        })
    }
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl Drop for FileBody {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Writes a response's body to a file or standard output as it comes; gives its size.
///
/// # Errors
/// `E0705` if the node breaks off, `E0709` if the target can't be written.
pub(crate) async fn receive(mut body: Incoming, target: &mut (dyn AsyncWrite + Send + Unpin)) -> Result<u64, Problem> {
    let bar = bar(http_body::Body::size_hint(&body).exact().unwrap_or(0));
    let unwritable = |error| Problem::new(Code::E0709, format!("cannot write: {error}"));
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::new(Code::E0705, format!("the node broke off: {error}")))?;
        if let Some(data) = frame.data_ref() {
            target.write_all(data).await.map_err(unwritable)?;
            received += data.len() as u64;
            bar.inc(data.len() as u64);
        }
    }
    target.flush().await.map_err(unwritable)?;
    bar.finish_and_clear();
    Ok(received)
}

/// A bar of so many bytes; it draws nothing where nobody looks.
fn bar(bytes: u64) -> ProgressBar {
    let target = if print::is_watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let template = " {bar:30} {bytes} of {total_bytes}   {bytes_per_sec}   {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is right");
    ProgressBar::with_draw_target(Some(bytes), target).with_style(style)
}

//! Makes a picture small: `POST /?side=160` with a PNG or JPEG answers a PNG whose longest side is that long.

use std::io::Cursor;

use dayfly::{Error, Request, Response};
use image::{ImageFormat, ImageReader, Limits};

dayfly::function!(handle);

/// The longest side of a picture that is taken: a few bytes can claim to be one of any size.
const SIDE_MAX: u32 = 8_192;

fn handle(request: Request) -> Result<Response, Error> {
    let Some(side) = request.query("side").and_then(|side| side.parse().ok()) else {
        return Ok(refused("the query names no `side`"));
    };
    Ok(match small(&request.bytes()?, side) {
        Ok(png) => Response::new(200, "image/png", png),
        Err(error) => refused(&format!("this is no picture: {error}")),
    })
}

fn small(bytes: &[u8], side: u32) -> image::ImageResult<Vec<u8>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE_MAX), Some(SIDE_MAX));
    limits.max_alloc = Some(200 << 20);
    reader.limits(limits);
    let mut png = Cursor::new(Vec::new());
    reader.decode()?.thumbnail(side, side).write_to(&mut png, ImageFormat::Png)?;
    Ok(png.into_inner())
}

fn refused(why: &str) -> Response {
    Response::text(format!("{why}\n")).status(422)
}

//! Makes a small picture of each large one: `large/mug.jpg` becomes `small/mug.png`.
//!
//! It is started by what lies below `large/` and writes below `small/`, so it doesn't start itself.

use std::io::Cursor;

use dayfly::{Error, Request, Response, bucket};
use image::{ImageFormat, ImageReader, Limits};

dayfly::function!(handle);

/// The longest side of a small picture.
const SIDE: u32 = 160;
/// The longest side of a large one: a few bytes can claim to be a picture of any size.
const SIDE_MAX: u32 = 8_192;

fn handle(request: Request) -> Result<Response, Error> {
    let Some(delivery) = request.events()? else { return Ok(Response::empty(404)) };
    let pictures = bucket::open("pictures")?;
    for event in &delivery.events {
        let name = event.subject.as_deref().unwrap_or_default();
        if !pictures.has(name)? {
            println!("{name} is gone again");
            continue;
        }
        match small(&pictures.read(name)?) {
            Ok(png) => {
                let stem = name.trim_start_matches("large/").rsplit_once('.').map_or(name, |(stem, _)| stem);
                pictures.write(&format!("small/{stem}.png"), png)?;
                println!("{name} has a thumbnail");
            }
            // Trying again would make no picture of it.
            Err(error) => eprintln!("{name} is no picture: {error}"),
        }
    }
    Ok(Response::done())
}

fn small(bytes: &[u8]) -> image::ImageResult<Vec<u8>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE_MAX), Some(SIDE_MAX));
    limits.max_alloc = Some(200 << 20);
    reader.limits(limits);
    let mut png = Cursor::new(Vec::new());
    reader.decode()?.thumbnail(SIDE, SIDE).write_to(&mut png, ImageFormat::Png)?;
    Ok(png.into_inner())
}

//! `dayfly bucket`.

use std::path::{Path, PathBuf};

use types::{
    Code, Problem,
    wire::data::{Count, ObjectKey, ObjectRange, ObjectRow, ObjectRows, Page, Presign, Presigned, ResourceRow},
};

use super::{Data, resources, rows};
use crate::{
    Context,
    args::{Bucket, BucketVerb},
    client::with_query,
    commands::which::span_ms,
    exit::Result,
    print::{line, to_json},
    render::text::{escaped, size},
    transfer,
};

/// What stands before a place in a bucket where a file could be meant.
const SCHEME: &str = "bucket:";

pub(crate) async fn run(context: &Context, Bucket { of, verb }: Bucket) -> Result {
    let data = Data::of(context, &of)?;
    match verb {
        BucketVerb::Ls { place: None, .. } => {
            let buckets: Vec<ResourceRow> = data.client.search(&data.path(&["buckets"]), &Page::default()).await?;
            Ok(context.printer.data(&buckets, |buckets| resources("bucket", buckets))?)
        }
        BucketVerb::Ls { place: Some(place), recursive } => list(context, &data, &place, recursive).await,
        BucketVerb::Cp { source, target } => copy(context, &data, &source, &target).await,
        BucketVerb::Rm { place } => {
            let (bucket, key) = object(&place)?;
            let path = with_query(&data.path(&["buckets", bucket, "object"]), &ObjectKey { key: key.to_owned() });
            let removed: Count = data.client.delete(&path).await?;
            Ok(context.printer.data(&removed, |_| format!("bucket.{bucket} {} removed", escaped(key)))?)
        }
        BucketVerb::Presign { place, expires, put } => {
            let (bucket, key) = object(&place)?;
            let method = if put { "PUT" } else { "GET" };
            let wanted = Presign { key: key.to_owned(), method: method.to_owned(), expires_secs: span_ms(&expires)? / 1_000 };
            let link: Presigned = data.client.post(&data.path(&["buckets", bucket, "presign"]), &wanted).await?;
            context.printer.note(format!("holds until {}", link.until));
            Ok(context.printer.data(&link, |link| link.url.clone())?)
        }
    }
}

/// Lists page by page: what is printed is never held.
async fn list(context: &Context, data: &Data, place: &str, recursive: bool) -> Result {
    let (bucket, prefix) = split(place);
    let delimiter = (!recursive).then(|| "/".to_owned());
    let mut range = ObjectRange { prefix: Some(prefix.to_owned()), delimiter, ..ObjectRange::default() };
    loop {
        let page: ObjectRows = data.client.search(&data.path(&["buckets", bucket, "objects"]), &range).await?;
        if context.printer.json {
            for object in &page.objects {
                line(&to_json(object))?;
            }
        } else if !page.objects.is_empty() || !page.prefixes.is_empty() {
            line(&table(&page))?;
        }
        range.after = page.next;
        if range.after.is_none() {
            return Ok(());
        }
    }
}

async fn copy(context: &Context, data: &Data, source: &str, target: &str) -> Result {
    match (source.strip_prefix(SCHEME), target.strip_prefix(SCHEME)) {
        (None, Some(place)) => upload(context, data, Path::new(source), place).await,
        (Some(place), None) => download(context, data, place, Path::new(target)).await,
        _ => {
            let problem = Problem::new(Code::E0709, "one side of the copy is a file, the other a place in a bucket");
            Err(problem.help("dayfly bucket cp cat.jpg bucket:uploads/cat.jpg").into())
        }
    }
}

async fn upload(context: &Context, data: &Data, file: &Path, place: &str) -> Result {
    let (bucket, key) = split(place);
    // A place that names no object takes the file's name.
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let key = if key.is_empty() || key.ends_with('/') { format!("{key}{name}") } else { key.to_owned() };
    let body = transfer::FileBody::open(file).await?;
    let path = with_query(&data.path(&["buckets", bucket, "object"]), &ObjectKey { key });
    let object: ObjectRow = data.client.put_stream(&path, body, media_type(file)).await?;
    Ok(context.printer.data(&object, |object| {
        format!("{} → bucket.{bucket} {}   {}", file.display(), escaped(&object.key), size(object.bytes))
    })?)
}

/// Written beside the target and moved into place, so that a copy that breaks off leaves what was there.
async fn download(context: &Context, data: &Data, place: &str, target: &Path) -> Result {
    let (bucket, key) = object(place)?;
    let name = key.rsplit('/').next().unwrap_or(key);
    let target = if target.is_dir() { target.join(name) } else { target.to_owned() };
    let unwritable = |error: std::io::Error| Problem::new(Code::E0709, format!("cannot write {}: {error}", target.display()));
    let path = with_query(&data.path(&["buckets", bucket, "object"]), &ObjectKey { key: key.to_owned() });
    let body = data.client.stream(&path).await?;
    let folder =
        target.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_owned);
    let beside = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    let mut file = tokio::fs::File::from_std(beside.reopen().map_err(unwritable)?);
    let bytes = transfer::receive(body, &mut file).await?;
    beside.persist(&target).map_err(|error| unwritable(error.error))?;
    context.printer.note(format!("bucket.{bucket} {} → {}   {}", escaped(key), target.display(), size(bytes)));
    Ok(())
}

/// `BUCKET/KEY`; the key may be empty.
fn split(place: &str) -> (&str, &str) {
    place.strip_prefix(SCHEME).unwrap_or(place).split_once('/').unwrap_or((place.strip_prefix(SCHEME).unwrap_or(place), ""))
}

fn object(place: &str) -> Result<(&str, &str), Problem> {
    let (bucket, key) = split(place);
    if key.is_empty() {
        return Err(Problem::new(Code::E0709, format!("{place:?} names no object: write BUCKET/KEY")));
    }
    Ok((bucket, key))
}

/// The media type that a file's name tells, for what browsers show most; anything else is bytes.
fn media_type(file: &Path) -> &'static str {
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "txt" | "md" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

fn table(page: &ObjectRows) -> String {
    let prefix = |prefix: &String| vec![escaped(prefix), String::new(), String::new()];
    let object = |object: &ObjectRow| vec![escaped(&object.key), size(object.bytes), object.modified.clone()];
    let mut all: Vec<Vec<String>> = page.prefixes.iter().map(prefix).chain(page.objects.iter().map(object)).collect();
    all.sort();
    rows(&["KEY", "SIZE", "MODIFIED"], all, "")
}

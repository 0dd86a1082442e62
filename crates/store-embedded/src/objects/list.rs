//! Pages of listings from the indexes. A group is passed over by seeking behind all that it stands for, so a page costs what it gives.

use rusqlite::{Connection, params};
use types::{
    limits,
    object::{ObjectPage, ObjectQuery, VersionId},
};

use super::row::{self, COLUMNS, Found, NULL};
use crate::kv::range::end_of;

/// What is listed.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// Objects that are there.
    Present,
    /// All versions, newest first within a key; the first page may begin after one of them.
    Versions(Option<VersionId>),
}

/// What stands for all keys that share it up to the delimiter.
fn group<'a>(key: &'a str, query: &ObjectQuery) -> Option<&'a str> {
    let delimiter = query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
    let at = key.strip_prefix(query.prefix.as_str())?.find(delimiter)?;
    Some(&key[..query.prefix.len() + at + delimiter.len()])
}

/// Where to go on in an index.
enum From {
    Key(Vec<u8>),
    /// Within a key, behind a version.
    Version(Vec<u8>, i64),
    End,
}

/// A page, and how many rows were looked at for it.
pub(super) struct Listed {
    pub(super) page: ObjectPage,
    /// Tests see by it that a page costs what it gives.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(super) steps: usize,
}

pub(super) fn page(connection: &Connection, bucket: i64, query: &ObjectQuery, order: &Order) -> rusqlite::Result<Listed> {
    let limit = query.limit.min(limits::BUCKET_PAGE);
    let mut listing = Listing { connection, bucket, query, limit, page: ObjectPage::default(), last: None, steps: 0 };
    let mut from = if limit == 0 { From::End } else { listing.start(order)? };
    loop {
        from = match from {
            From::End => return Ok(Listed { page: listing.page, steps: listing.steps }),
            from => listing.scan(from, order)?,
        };
    }
}

struct Listing<'a> {
    connection: &'a Connection,
    bucket: i64,
    query: &'a ObjectQuery,
    limit: usize,
    page: ObjectPage,
    last: Option<String>,
    steps: usize,
}

impl Listing<'_> {
    fn start(&self, order: &Order) -> rusqlite::Result<From> {
        let prefix = &self.query.prefix;
        let Some(after) = self.query.after.as_deref().filter(|after| *after >= prefix.as_str()) else {
            return Ok(From::Key(prefix.clone().into_bytes()));
        };
        if group(after, self.query) == Some(after) {
            return Ok(end_of(after.as_bytes()).map_or(From::End, From::Key));
        }
        match order {
            Order::Versions(Some(version)) => self.behind(after, version),
            Order::Present | Order::Versions(None) => Ok(From::Key([after.as_bytes(), &[0]].concat())),
        }
    }

    /// Behind a version of a key; if it can't be known where that was, the key's versions come again.
    fn behind(&self, key: &str, VersionId(name): &VersionId) -> rusqlite::Result<From> {
        let n = if name == NULL {
            let version = VersionId(name.clone());
            super::find::version(self.connection, self.bucket, key, Some(&version))?.map(|found| found.n)
        } else {
            row::number(name)
        };
        Ok(From::Version(key.as_bytes().to_vec(), n.unwrap_or(i64::MAX)))
    }

    /// Goes on until the page is full, or a group or key is to be passed over.
    fn scan(&mut self, from: From, order: &Order) -> rusqlite::Result<From> {
        let end = end_of(self.query.prefix.as_bytes());
        let index = match order {
            Order::Present => "INDEXED BY object_present WHERE state = 1 AND",
            Order::Versions(_) => "INDEXED BY object_version WHERE",
        };
        let is_below = if end.is_some() { "key < ?3" } else { "?3 IS NULL" };
        let (key, sql, behind) = match from {
            From::End => return Ok(From::End),
            From::Key(key) => {
                let order = "ORDER BY key, n DESC";
                let sql = format!(
                    "SELECT {COLUMNS} FROM object {index} bucket = ?1 AND key >= ?2 AND {is_below} AND ?4 ISNULL {order}"
                );
                (key, sql, None)
            }
            From::Version(key, n) => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM object {index} bucket = ?1 AND key = ?2 AND ?3 IS NOT 0 AND n < ?4 ORDER BY n DESC"
                );
                (key, sql, Some(n))
            }
        };
        let mut query = self.connection.prepare_cached(&sql)?;
        let mut rows = query.query(params![self.bucket, key, end, behind])?;
        while let Some(row) = rows.next()? {
            self.steps += 1;
            if let Some(next) = self.take(row)? {
                return Ok(next);
            }
        }
        Ok(match behind {
            // The key has no more versions.
            Some(_) => From::Key([key.as_slice(), &[0]].concat()),
            None => From::End,
        })
    }

    /// Adds a row; says where to go on if that is not the next.
    fn take(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<From>> {
        let key = String::from_utf8_lossy(row.get_ref(1)?.as_blob()?).into_owned();
        if self.page.objects.len() + self.page.prefixes.len() >= self.limit {
            self.page.next = self.last.take();
            return Ok(Some(From::End));
        }
        if let Some(group) = group(&key, self.query) {
            let behind = end_of(group.as_bytes()).map_or(From::End, From::Key);
            self.last = Some(group.to_owned());
            self.page.prefixes.push(group.to_owned());
            return Ok(Some(behind));
        }
        self.page.objects.push(Found::of(row)?.info());
        self.last = Some(key);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::row::{Meta, Place, State, encode, sum};

    const KEYS: usize = 100_000;

    /// A bucket of many keys: a hundred folders, each with as many files that are there as files that were deleted.
    fn fill(keys: usize) -> Connection {
        let connection = Connection::open_in_memory().expect("there is memory");
        connection.execute_batch(include_str!("schema.sql")).expect("the schema is sound");
        connection.execute_batch("BEGIN").expect("there is no transaction");
        let meta = |place| Meta {
            bytes: 1,
            etag: "e".into(),
            content_type: None,
            headers: Default::default(),
            metadata: Default::default(),
            tags: Default::default(),
            checksums: vec![],
            parts: vec![],
            place,
        };
        let insert = "INSERT INTO object (bucket, key, is_null, state, modified, sum, info) VALUES (7, ?1, 0, ?2, 0, ?3, ?4)";
        for i in 0..keys {
            let key = format!("{:02}/{}/{i:08}", i % 100, if i / 100 % 2 == 0 { "gone" } else { "there" });
            let (state, place) = if i / 100 % 2 == 0 { (State::Marker, Place::Nowhere) } else { (State::Present, Place::Row) };
            let info = encode(&meta(place));
            let values = params![key.as_bytes(), state as i64, sum(key.as_bytes(), false, 0, &info), info];
            connection.prepare_cached(insert).and_then(|mut insert| insert.execute(values)).expect("keys differ");
        }
        connection.execute_batch("COMMIT").expect("there is memory");
        connection
    }

    fn list(connection: &Connection, after: Option<&str>, delimiter: Option<&str>, order: &Order) -> Listed {
        let (after, delimiter) = (after.map(Into::into), delimiter.map(Into::into));
        let query = ObjectQuery { prefix: String::new(), delimiter, after, limit: 50 };
        page(connection, 7, &query, order).expect("readable")
    }

    #[test]
    fn a_page_costs_what_it_gives_however_large_the_bucket_is() {
        let connection = fill(KEYS);
        let versions = Order::Versions(None);
        for after in [None, Some("49"), Some("49/there/00080149"), Some("98/")] {
            for (delimiter, order) in
                [(None, &Order::Present), (Some("/"), &Order::Present), (Some("/"), &versions), (None, &versions)]
            {
                let Listed { page, steps } = list(&connection, after, delimiter, order);
                let given = page.objects.len() + page.prefixes.len();
                assert!(given > 0 && steps <= given + 2, "{steps} rows for {given} entries after {after:?} by {delimiter:?}");
            }
        }
    }

    #[test]
    fn all_pages_together_are_all_keys() {
        let connection = fill(2_000);
        let (mut count, mut after) = (0, None::<String>);
        loop {
            let page = list(&connection, after.as_deref(), None, &Order::Present).page;
            count += page.objects.len();
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(count, 1_000, "and none that was deleted");
    }
}

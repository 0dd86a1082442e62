//! The verbs for an app's data, one a file. Each speaks the routes below `/v1/apps/{app}/{env}/`.

pub(crate) mod bucket;
pub(crate) mod cron;
pub(crate) mod env;
pub(crate) mod events;
pub(crate) mod kv;
pub(crate) mod queue;
pub(crate) mod secret;
pub(crate) mod sql;
pub(crate) mod stream;

use types::{
    AppName, Code, EnvName, Problem,
    wire::data::{Content, Page, ResourceRow},
};

use crate::{
    Context,
    args::{Listed, Of},
    client::{Client, escape},
    exit::Result,
    print, project,
    render::text::escaped,
};

/// An app's data on a node.
pub(super) struct Data {
    pub(super) client: Client,
    pub(super) app: AppName,
    pub(super) env: EnvName,
}

impl Data {
    /// That of the app which the flags name, or of this folder's.
    pub(super) fn of(context: &Context, of: &Of) -> Result<Self> {
        let client = context.client()?;
        let env = project::env(of.env.as_deref(), client.target())?;
        let app = match &of.app {
            Some(app) => project::name(app)?,
            None => {
                let none = |_| Problem::new(Code::E0707, "no app is named, and this folder has none").help("--app APP");
                project::load(".".as_ref(), &env).map_err(none)?.app.name
            }
        };
        Ok(Self { client, app, env })
    }

    /// The address of something of the app, each part escaped.
    pub(super) fn path(&self, parts: &[&str]) -> String {
        let below: Vec<String> = parts.iter().map(|part| escape(part)).collect();
        format!("/v1/apps/{}/{}/{}", self.app, self.env, below.join("/"))
    }
}

impl Listed {
    fn page(&self) -> Page {
        Page { prefix: self.prefix.clone(), after: self.after.clone(), limit: Some(self.limit) }
    }
}

/// Bytes on one line of a terminal: text as it is, with what a terminal would obey written out.
pub(super) fn one_line(content: &Content) -> String {
    const SHOWN: usize = 200;
    let text = match content {
        Content::Text(text) => escaped(&text.replace('\n', "⏎")),
        Content::Base64(bytes) => format!("base64:{}", String::from(bytes.clone())),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… {} bytes", &text[..end], bytes_of(content)),
        None => text,
    }
}

fn bytes_of(content: &Content) -> usize {
    match content {
        Content::Text(text) => text.len(),
        Content::Base64(bytes) => bytes.0.len(),
    }
}

/// Rows under their heads, or that there are none.
pub(super) fn rows(heads: &[&str], rows: Vec<Vec<String>>, none: &str) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let mut all = vec![heads.iter().map(|head| (*head).to_owned()).collect()];
    all.extend(rows);
    print::table(&all)
}

/// Asks before something is lost; without a terminal the flag is needed.
pub(super) fn confirm(yes: bool, what: &str, command: &str) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !print::can_ask() {
        let problem = Problem::new(Code::E0707, format!("{what} is for ever, and there is no terminal to ask at"));
        return Err(problem.help(format!("{command} --yes")).into());
    }
    Ok(print::ask(&format!("{what}: for ever?"))?)
}

/// An app's resources of one kind with the functions that use them.
pub(super) fn resources(kind: &str, found: &[ResourceRow]) -> String {
    let row = |row: &ResourceRow| vec![format!("{kind}.{}", row.name), row.used_by.join(", ")];
    rows(&["NAME", "USED BY"], found.iter().map(row).collect(), &format!("the app has no {kind}"))
}

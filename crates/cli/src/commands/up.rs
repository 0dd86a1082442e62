//! `dayfly up`: one folder, one process: build, serve, show each request, and reload on change.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use types::{
    AppKey, Code, EnvName,
    wire::{api::Deployed, data::SecretRow, view},
};

use super::server::{Ready, announce};
use crate::{
    Context,
    args::Up,
    build::{RUST, Scripts},
    client::{Client, Lines},
    declare,
    exit::{Failure, Result},
    node::{NodeOptions, RunningNode},
    print::{self, Printer},
    project::{self, Project},
    render::{self, text},
    signals::{Signals, shut_down},
    stopwatch::Stopwatch,
    target::{DATA_DIR, Target},
    watch::{Change, Watch},
};

/// A first deployment that takes longer is not left without a word.
const SILENCE: Duration = Duration::from_secs(1);

pub(crate) async fn run(context: &Context, args: Up) -> Result {
    let began = Stopwatch::start();
    let printer = context.printer;
    let env: EnvName = project::name(&args.env)?;
    let folder = project::folder(&args.dir);
    let data = folder.join(DATA_DIR);
    let loaded = project::load(&args.dir, &env)?;
    printer.note(format!("dayfly {} · env {env} · data {}/", env!("CARGO_PKG_VERSION"), data.display()));
    let key = AppKey { app: loaded.app.name, env: env.clone() };
    let secrets = format!("/v1/apps/{}/{}/secrets", key.app, key.env);
    let watch = if args.no_watch { None } else { Some(Watch::start(&args.dir)?) };
    let node = context.node.start(options(&args, data.clone(), key)).await?;
    let (dir, client) = (args.dir, client_of(&node));
    let mut session = Session {
        printer,
        dir,
        env,
        client,
        scripts: Scripts::default(),
        files: BTreeSet::new(),
        secrets,
        served: false,
        failing: false,
        lacking: None,
    };
    let ended = session.run(&data, &node, watch, began).await;
    // However it ended: nobody must find the address of a node that is gone, and what it recorded is kept.
    std::fs::remove_file(data.join(crate::CONTROL_URL_FILE)).ok();
    shut_down(node).await;
    ended
}

fn client_of(node: &RunningNode) -> Client {
    Client::new(Target { url: node.control_url.clone(), token: node.token.clone(), local: true })
}

fn options(args: &Up, data_dir: PathBuf, app: AppKey) -> NodeOptions {
    let (gateway_addr, control_addr, aws_addr) = (args.listen, args.control, args.aws);
    NodeOptions { data_dir, gateway_addr, control_addr, aws_addr, token: None, default_app: Some(app), domain: None }
}

/// What `up` does again and again.
struct Session {
    printer: Printer,
    dir: PathBuf,
    env: EnvName,
    client: Client,
    /// What was read of the app's scripts.
    scripts: Scripts,
    /// The files that its scripts were last made from.
    files: BTreeSet<PathBuf>,
    /// The address of the app's secrets.
    secrets: String,
    /// Whether a revision of this session is served.
    served: bool,
    /// Whether what the folder holds now can't be served, which was said.
    failing: bool,
    /// The secrets that were set when one was missing: setting it mends that, and changes no file.
    lacking: Option<Vec<SecretRow>>,
}

impl Session {
    /// Deploys and serves until the process is asked to end, or can't go on.
    async fn run(&mut self, data: &Path, node: &RunningNode, watch: Option<Watch>, began: Stopwatch) -> Result {
        announce(data, node)?;
        // Followed before anything is served, so that the first request is shown too.
        let requests = self.client.lines("/v1/follow").await?;
        // The first build may fail, and the person mends it: nothing is served until then, but the folder is watched.
        let deployed = self.first_deploy().await;
        // After the build, which a signal simply ends; before anybody is told that it is ready, and asks it to end.
        let mut signals = Signals::new()?;
        match deployed {
            Ok(deployed) => self.ready(node, &deployed, began.elapsed(), watch.is_some())?,
            Err(failure) if watch.is_some() => self.keep_serving(&failure).await,
            Err(failure) => return Err(failure),
        }
        self.serve(requests, watch, &mut signals).await?;
        self.printer.note(format!("{} ending: open requests may finish, ctrl-c again does not wait", clock()));
        Ok(())
    }

    async fn first_deploy(&mut self) -> Result<Deployed> {
        let printer = self.printer;
        let mut project = Project::build(&self.dir, &self.env, &self.scripts, |name, built| {
            printer.note(format!(" build    {name:<8} {}   {}", built.summary(), print::took(built.took)));
        })
        .await?;
        let mut shipped = std::pin::pin!(self.ship(&mut project));
        tokio::select! {
            deployed = &mut shipped => return deployed,
            () = tokio::time::sleep(SILENCE) => {}
        }
        // Whoever starts for the first time waits for it, and would wonder for what.
        printer.note(" deploy   code is compiled, and at the first start the JavaScript engine: once, for some seconds");
        shipped.await
    }

    async fn ship(&mut self, project: &mut Project) -> Result<Deployed> {
        self.files = project.built.values().flat_map(|built| built.files.iter().cloned()).collect();
        for written in declare::refresh(&project::folder(&self.dir), &project.loaded.app)? {
            self.printer.note(format!("{} {} written anew", clock(), written.display()));
        }
        let plan = project.plan(&self.client).await?;
        // What a person tries out must not be in the way of what they try out next: data stays, and is there again when it is named.
        let left = plan.resources.iter().filter(|resource| resource.holds.is_some()).map(|resource| resource.resource.clone());
        project.keep = left.collect();
        if !project.keep.is_empty() {
            let names: Vec<String> = project.keep.iter().map(ToString::to_string).collect();
            self.printer.note(format!("{} {} not used any more; the data stays", clock(), names.join(", ")));
        }
        project.upload(&self.client, &plan).await?;
        let (deployed, _) = project.deploy(&self.client, &plan).await?;
        self.served = true;
        for (function, prepared) in deployed.prepared.iter().filter(|(_, prepared)| !prepared.cached) {
            prepared.logs.iter().for_each(|line| self.printer.note(format!("{} {function} {}", clock(), text::escaped(line))));
        }
        Ok(deployed)
    }

    /// The block of addresses: everything a newcomer needs to go on.
    fn ready(&self, node: &RunningNode, deployed: &Deployed, took: Duration, watching: bool) -> Result {
        if self.printer.json {
            print::line(&print::to_json(&Ready::of(node)))?;
        }
        let note = |text: String| self.printer.note(text);
        note(format!(" ready    in {}", print::took(took)));
        let port = node.gateway_url.rsplit(':').next().unwrap_or_default();
        for function in &deployed.plan.functions {
            for route in &function.routes {
                let text = route.to_string();
                let (method, path) = text.split_once(' ').unwrap_or(("ANY", &text));
                note(format!(" {:<8} {method} http://localhost:{port}{path}", function.name.as_str()));
            }
        }
        for (function, on) in deployed.plan.functions.iter().filter_map(|function| Some((&function.name, function.on.as_ref()?)))
        {
            note(format!(" {:<8} on {on}", function.as_str()));
        }
        if let Some(site) = &deployed.plan.site {
            note(format!(" site     http://localhost:{port}/   {} files, {}", site.files, text::size(site.bytes)));
        }
        note(format!(" control  {}", node.control_url));
        note(format!(" aws      {}   eval \"$(dayfly env aws)\"", node.aws_url));
        if watching {
            note(format!(" watching {}", where_of(&project::folder(&self.dir))));
        }
        note("dayfly trace last · dayfly logs · dayfly cost · ctrl-c ends".into());
        Ok(())
    }

    /// Shows requests and reloads on change, until the process is asked to end.
    async fn serve(&mut self, mut requests: Lines, mut watch: Option<Watch>, signals: &mut Signals) -> Result {
        if let Some(watch) = &mut watch {
            watch.follow(&self.files);
        }
        loop {
            tokio::select! {
                () = signals.next() => return Ok(()),
                request = requests.next::<view::Request>() => match request? {
                    Some(request) => self.show(&request)?,
                    None => return Ok(()),
                },
                change = changed(&mut watch) => self.reload(&change).await,
                () = set_since(&self.client, &self.secrets, self.lacking.as_deref()) => {
                    self.lacking = None;
                    self.reload(&Change { paths: vec![manifest::FILE_NAME.into()], since: Stopwatch::start() }).await;
                }
            }
            if let Some(watch) = &mut watch {
                watch.follow(&self.files);
            }
        }
    }

    fn show(&self, request: &view::Request) -> Result {
        if self.printer.json {
            return Ok(print::line(&print::to_json(request))?);
        }
        // In one piece, as others may write to the same terminal.
        let beneath = if request.error { render::request::failure(request) } else { render::request::told(request) };
        Ok(print::line(&format!("{}\n{beneath}", render::request::line(request)))?)
    }

    /// Builds and deploys what is there now. Whatever fails is printed, and the old revision goes on serving.
    async fn reload(&mut self, Change { paths, since }: &Change) {
        let code = paths.iter().any(|path| path.file_name() != Some(manifest::FILE_NAME.as_ref()));
        let began = Stopwatch::start();
        let printer = self.printer;
        let project = Project::build(&self.dir, &self.env, &self.scripts, |name, built| {
            // Scripts are made in no time, each time anew.
            if code && built.how == RUST {
                printer.note(format!("{} {name} rebuilt {}", clock(), print::took(built.took)));
            }
        })
        .await;
        let built = began.elapsed();
        let result = match project {
            Ok(mut project) => self.ship(&mut project).await,
            Err(failure) => Err(failure),
        };
        match result {
            // Nothing is said: where this output goes to a file in the watched folder, each word would be the next change.
            Ok(deployed) if deployed.plan.unchanged => {
                if std::mem::take(&mut self.failing) {
                    printer.note(format!("{} mended · revision {} as before", clock(), deployed.plan.revision));
                }
            }
            Ok(deployed) => {
                self.failing = false;
                let took = print::took(began.elapsed().saturating_sub(built));
                let total = print::took(since.elapsed());
                printer.note(format!("{} reloaded {took} · saved → live {total} · revision {}", clock(), deployed.plan.revision));
            }
            Err(failure) => self.keep_serving(&failure).await,
        }
    }

    async fn keep_serving(&mut self, failure: &Failure) {
        self.failing = true;
        if failure.0.iter().any(|problem| problem.code == Code::E0712) {
            self.lacking = secrets(&self.client, &self.secrets).await;
        }
        self.printer.failure(failure);
        let what = if self.served { "the last good revision goes on serving" } else { "waiting for a change" };
        self.printer.note(format!("{} {what}", clock()));
    }
}

/// Ends once other secrets are set than those; never, if none is lacking.
async fn set_since(client: &Client, path: &str, before: Option<&[SecretRow]>) {
    const PAUSE: Duration = Duration::from_millis(500);
    let Some(before) = before else { return std::future::pending().await };
    loop {
        tokio::time::sleep(PAUSE).await;
        if secrets(client, path).await.is_some_and(|now| now != before) {
            return;
        }
    }
}

async fn secrets(client: &Client, path: &str) -> Option<Vec<SecretRow>> {
    client.get(path).await.ok()
}

async fn changed(watch: &mut Option<Watch>) -> Change {
    match watch {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}

/// A folder in words: the current one has no name of its own.
fn where_of(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { "this folder".into() } else { folder.display().to_string() }
}

/// The time of day, as each line of `up` begins.
fn clock() -> String {
    jiff::Zoned::now().strftime("%H:%M:%S").to_string()
}

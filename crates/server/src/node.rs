//! A node in this process: started in the order in which its parts need each other, stopped in the reverse order.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use aws::{Aws, Links, S3Limits, Verification};
use cli::node::{BoxFuture, Node, NodeOptions, ReplayOptions, RunningNode, TOKEN_FILE};
use control::{Control, Data, Hosts, Token, token};
use ingress::{BusTable, Drain, Framing, Gateway, GatewayLimits, GatewaySettings, TriggerSettings, Triggers};
use invoke::{Engine, Parts};
use ports::{AwsEndpoint, Bus, Clock, Invoker, Plane, Schedules, Telemetry};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use types::{Code, Elapsed, Problem, limits, wire::replay::ReplayReport};

use crate::{
    config::{Settings, VERSION},
    files, folder,
    lanes::Lanes,
    listen::{Purpose, listen},
    registry::{self, Services},
    replay, sweep,
};

/// Starts nodes in this process.
pub struct LocalNode {
    /// The program that compiles components: this one, wherever it lies.
    pub compiler: PathBuf,
}

impl Node for LocalNode {
    fn start(&self, options: NodeOptions) -> BoxFuture<'_, Result<RunningNode, Problem>> {
        let settings = Settings::new(options, self.compiler.clone());
        Box::pin(async move {
            // The node has threads of its own, so that it serves alike whatever runtime its starter has.
            let (started, starting) = oneshot::channel();
            std::thread::Builder::new()
                .name("start".into())
                .spawn(move || started.send(start(settings)).map_err(drop))
                .map_err(|error| Problem::new(Code::E0513, format!("cannot start a thread: {error}")))?;
            starting.await.map_err(|_| Problem::new(Code::E0513, "the node's start broke off"))?
        })
    }

    fn replay(&self, options: ReplayOptions) -> BoxFuture<'_, Result<ReplayReport, Problem>> {
        Box::pin(replay::run(options, &self.compiler))
    }
}

/// What runs, as far as it has to be stopped.
struct Running {
    lanes: Lanes,
    serving: Serving,
}

fn start(settings: Settings) -> Result<RunningNode, Problem> {
    let clock = registry::clock();
    let begun = clock.monotonic_ns();
    files::raise_limit();
    let lanes = Lanes::start(settings.lane_threads)?;
    let main = lanes.main().clone();
    match main.block_on(serve(settings, &clock, lanes.busy().clone())) {
        Ok((addresses, serving)) => {
            let Addresses { gateway, control, aws, token } = addresses;
            let running = Running { lanes, serving };
            Ok(RunningNode {
                gateway_url: format!("http://{gateway}"),
                control_url: format!("http://{control}"),
                aws_url: format!("http://{aws}"),
                token,
                started_in: Elapsed::from_ns(clock.monotonic_ns() - begun),
                stop: Box::new(move || Box::pin(running.stop())),
            })
        }
        Err(problem) => {
            lanes.stop();
            Err(problem)
        }
    }
}

/// Where a node is to be found.
struct Addresses {
    gateway: SocketAddr,
    control: SocketAddr,
    aws: SocketAddr,
    token: String,
}

/// The tasks of a node, in the order in which they are to end.
struct Serving {
    drain: Drain,
    gateway: JoinHandle<()>,
    aws: JoinHandle<()>,
    triggers: JoinHandle<()>,
    control: JoinHandle<()>,
    sweeper: JoinHandle<()>,
    code: JoinHandle<()>,
    telemetry: Arc<dyn Telemetry>,
}

async fn serve(
    settings: Settings,
    clock: &Arc<dyn Clock>,
    busy_lane: tokio::runtime::Handle,
) -> Result<(Addresses, Serving), Problem> {
    // Ports first: a node that can't listen leaves the data folder alone.
    let gateway_listener = listen(settings.gateway_addr, Purpose { name: "gateway", flag: "--listen" }).await?;
    let control_listener = listen(settings.control_addr, Purpose { name: "control API", flag: "--control" }).await?;
    let aws_listener = listen(settings.aws_addr, Purpose { name: "AWS endpoint", flag: "--aws" }).await?;
    let (gateway_addr, control_addr) = (address(&gateway_listener)?, address(&control_listener)?);
    let aws_addr = address(&aws_listener)?;

    folder::keep_private(&settings.data_dir)?;
    let services = registry::open(&settings, Arc::clone(clock), vec![gateway_addr, control_addr, aws_addr])?;
    let token = match settings.token {
        Some(token) => token,
        None => token::keep(&settings.data_dir.join(TOKEN_FILE), &*services.rng)?,
    };
    let bus = BusTable::new();
    let engine = Arc::new(engine(&services, Arc::clone(&bus) as Arc<dyn Bus>, busy_lane));
    let invoker = Arc::clone(&engine) as Arc<dyn Invoker>;
    let gateway = gateway(&services, Arc::clone(&bus) as Arc<dyn Bus>, Arc::clone(&invoker));
    let triggers = triggers(&services, Arc::clone(&invoker));
    let links = Links::new(aws_addr, Arc::clone(&services.access_keys), Arc::clone(&services.clock));
    let data = data(&services, Arc::clone(&bus) as Arc<dyn Bus>, Arc::clone(&triggers) as Arc<dyn Schedules>, Arc::new(links));
    let aws = aws(&services);
    let telemetry = Arc::clone(&services.telemetry);
    let objects = Arc::clone(&services.objects);
    let Services { clock, rng, catalog, blob, runtime, journals, .. } = services;
    let control = Control::restore(control::Parts {
        catalog,
        blob,
        runtime,
        journals,
        telemetry: Arc::clone(&telemetry),
        invoker,
        data,
        // Who waits for what is known before anything can happen that somebody waits for, and the engine knows a function's limits
        // before anybody sends it a request.
        planes: vec![
            engine as Arc<dyn Plane>,
            bus,
            Arc::clone(&gateway) as Arc<dyn Plane>,
            Arc::clone(&triggers) as Arc<dyn Plane>,
        ],
        clock: Arc::clone(&clock),
        rng,
        prices: settings.prices,
        hosts: Hosts { domain: settings.domain, gateway: gateway_addr },
        default_app: settings.default_app,
        token: Token::of(&token),
        version: VERSION,
    })
    .await?;
    let drain = Drain::new();
    let serving = Serving {
        gateway: gateway.serve(gateway_listener, drain.clone()),
        aws: aws.serve(aws_listener, drain.clone().begun()),
        triggers: triggers.serve(drain.clone()),
        code: tokio::spawn(sweep::code(Arc::clone(&control), Arc::clone(&clock), drain.clone())),
        control: tokio::spawn(control::serve(control, control_listener, drain.clone().begun())),
        sweeper: tokio::spawn(sweep::objects(objects, clock, drain.clone())),
        drain,
        telemetry,
    };
    Ok((Addresses { gateway: gateway_addr, control: control_addr, aws: aws_addr, token }, serving))
}

fn engine(services: &Services, bus: Arc<dyn Bus>, busy_lane: tokio::runtime::Handle) -> Engine {
    Engine::new(Parts {
        runtime: Arc::clone(&services.runtime),
        kv: Arc::clone(&services.kv),
        queue: Arc::clone(&services.queue),
        log: Arc::clone(&services.log),
        unit: Arc::clone(&services.unit),
        sql: Arc::clone(&services.sql),
        objects: Arc::clone(&services.objects),
        secrets: Arc::clone(&services.secrets),
        bus,
        outbound: Arc::clone(&services.outbound),
        telemetry: Arc::clone(&services.telemetry),
        blob: Arc::clone(&services.blob),
        clock: Arc::clone(&services.clock),
        rng: Arc::clone(&services.rng),
        seal_key: services.seal_key.clone(),
        busy_lane,
    })
}

fn gateway(services: &Services, bus: Arc<dyn Bus>, invoker: Arc<dyn Invoker>) -> Arc<Gateway> {
    Gateway::new(GatewaySettings {
        limits: GatewayLimits::default(),
        framing: Framing::Strict,
        invoker,
        blob: Arc::clone(&services.blob),
        bus,
        unit: Arc::clone(&services.unit),
        secrets: Arc::clone(&services.secrets),
        clock: Arc::clone(&services.clock),
        rng: Arc::clone(&services.rng),
    })
}

fn triggers(services: &Services, invoker: Arc<dyn Invoker>) -> Arc<Triggers> {
    Triggers::new(TriggerSettings {
        invoker,
        queue: Arc::clone(&services.queue),
        log: Arc::clone(&services.log),
        unit: Arc::clone(&services.unit),
        kv: Arc::clone(&services.kv),
        sql: Arc::clone(&services.sql),
        clock: Arc::clone(&services.clock),
        rng: Arc::clone(&services.rng),
        // One process has the data folder at a time, so one name will do.
        member: "node".into(),
        drain_time: limits::DRAIN_TIME,
    })
}

fn data(services: &Services, bus: Arc<dyn Bus>, schedules: Arc<dyn Schedules>, aws: Arc<dyn AwsEndpoint>) -> Data {
    Data {
        kv: Arc::clone(&services.kv),
        queue: Arc::clone(&services.queue),
        log: Arc::clone(&services.log),
        unit: Arc::clone(&services.unit),
        sql: Arc::clone(&services.sql),
        objects: Arc::clone(&services.objects),
        secrets: Arc::clone(&services.secrets),
        access_keys: Arc::clone(&services.access_keys),
        feeds: Arc::clone(&services.feeds),
        bus,
        schedules,
        aws,
    }
}

fn aws(services: &Services) -> Aws {
    Aws::new(aws::Settings {
        objects: Arc::clone(&services.objects),
        access_keys: Arc::clone(&services.access_keys),
        clock: Arc::clone(&services.clock),
        rng: Arc::clone(&services.rng),
        verification: Verification::On,
        limits: S3Limits::default(),
        meter: None,
    })
}

fn address(listener: &TcpListener) -> Result<std::net::SocketAddr, Problem> {
    listener.local_addr().map_err(|error| Problem::new(Code::E0701, format!("the listener has no address: {error}")))
}

impl Running {
    /// Open requests and deliveries first, then what they recorded, then the threads.
    async fn stop(self) {
        let Self { lanes, serving } = self;
        let Serving { drain, gateway, aws, triggers, control, sweeper, code, telemetry } = serving;
        drain.begin();
        let tasks = [
            ("gateway", gateway),
            ("AWS endpoint", aws),
            ("triggers", triggers),
            ("control API", control),
            ("sweeper", sweeper),
            ("keeper of code", code),
        ];
        for (name, task) in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, name, "a task of the node ended badly");
            }
        }
        if let Err(error) = telemetry.flush().await {
            tracing::error!(%error, "the last records were not written");
        }
        drop(telemetry);
        // A runtime must not be dropped where another one polls.
        let ended = tokio::task::spawn_blocking(move || lanes.stop()).await;
        ended.unwrap_or_else(|error| tracing::error!(%error, "the threads did not end"));
    }
}

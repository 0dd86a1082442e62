//! A node in this process: started in the order in which its parts need each other, stopped in the reverse order.

use std::{path::PathBuf, sync::Arc};

use cli::node::{BoxFuture, Node, NodeOptions, ReplayOptions, RunningNode, TOKEN_FILE};
use control::{Control, Hosts, Token, token};
use ingress::{Drain, Framing, Gateway, GatewayLimits, GatewaySettings};
use invoke::{Engine, Parts};
use ports::{Clock, Invoker, Plane, Telemetry};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use types::{Code, Elapsed, Problem, wire::replay::ReplayReport};

use crate::{
    config::{Settings, VERSION},
    files, folder,
    lanes::Lanes,
    listen::{Purpose, listen},
    registry::{self, Services},
    replay,
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
    drain: Drain,
    gateway: JoinHandle<()>,
    control: JoinHandle<()>,
    telemetry: Arc<dyn Telemetry>,
}

fn start(settings: Settings) -> Result<RunningNode, Problem> {
    let clock = registry::clock();
    let begun = clock.monotonic_ns();
    files::raise_limit();
    let lanes = Lanes::start(settings.lane_threads)?;
    let main = lanes.main().clone();
    match main.block_on(serve(settings, &clock, lanes.busy().clone())) {
        Ok(Serving { gateway_url, control_url, token, drain, gateway, control, telemetry }) => {
            let running = Running { lanes, drain, gateway, control, telemetry };
            let started_in = Elapsed::from_ns(clock.monotonic_ns() - begun);
            Ok(RunningNode { gateway_url, control_url, token, started_in, stop: Box::new(move || Box::pin(running.stop())) })
        }
        Err(problem) => {
            lanes.stop();
            Err(problem)
        }
    }
}

struct Serving {
    gateway_url: String,
    control_url: String,
    token: String,
    drain: Drain,
    gateway: JoinHandle<()>,
    control: JoinHandle<()>,
    telemetry: Arc<dyn Telemetry>,
}

async fn serve(settings: Settings, clock: &Arc<dyn Clock>, busy_lane: tokio::runtime::Handle) -> Result<Serving, Problem> {
    // Ports first: a node that can't listen leaves the data folder alone.
    let gateway_listener = listen(settings.gateway_addr, Purpose { name: "gateway", flag: "--listen" }).await?;
    let control_listener = listen(settings.control_addr, Purpose { name: "control API", flag: "--control" }).await?;
    let (gateway_addr, control_addr) = (address(&gateway_listener)?, address(&control_listener)?);

    folder::keep_private(&settings.data_dir)?;
    let services = registry::open(&settings, Arc::clone(clock), vec![gateway_addr, control_addr])?;
    let token = match settings.token {
        Some(token) => token,
        None => token::keep(&settings.data_dir.join(TOKEN_FILE), &*services.rng)?,
    };
    let telemetry = Arc::clone(&services.telemetry);
    let engine = Arc::new(engine(&services, busy_lane));
    let gateway = Gateway::new(GatewaySettings {
        limits: GatewayLimits::default(),
        framing: Framing::Strict,
        invoker: Arc::clone(&engine) as Arc<dyn Invoker>,
        clock: Arc::clone(&services.clock),
        rng: Arc::clone(&services.rng),
    });
    let Services { clock, catalog, blob, runtime, journals, .. } = services;
    let control = Control::restore(control::Parts {
        catalog,
        blob,
        runtime,
        journals,
        telemetry: Arc::clone(&telemetry),
        invoker: Arc::clone(&engine) as Arc<dyn Invoker>,
        // The engine knows a function's limits before the gateway sends it a request.
        planes: vec![engine as Arc<dyn Plane>, Arc::clone(&gateway) as Arc<dyn Plane>],
        clock,
        prices: settings.prices,
        hosts: Hosts { domain: settings.domain, gateway: gateway_addr },
        default_app: settings.default_app,
        token: Token::of(&token),
        version: VERSION,
    })
    .await?;
    let drain = Drain::new();
    Ok(Serving {
        gateway_url: format!("http://{gateway_addr}"),
        control_url: format!("http://{control_addr}"),
        token,
        gateway: gateway.serve(gateway_listener, drain.clone()),
        control: tokio::spawn(control::serve(control, control_listener, drain.clone().begun())),
        drain,
        telemetry,
    })
}

fn engine(services: &Services, busy_lane: tokio::runtime::Handle) -> Engine {
    let Services { clock, rng, kv, blob, catalog: _, telemetry, journals: _, runtime, outbound, seal_key } = services;
    Engine::new(Parts {
        runtime: Arc::clone(runtime),
        kv: Arc::clone(kv),
        outbound: Arc::clone(outbound),
        telemetry: Arc::clone(telemetry),
        blob: Arc::clone(blob),
        clock: Arc::clone(clock),
        rng: Arc::clone(rng),
        seal_key: seal_key.clone(),
        busy_lane,
    })
}

fn address(listener: &TcpListener) -> Result<std::net::SocketAddr, Problem> {
    listener.local_addr().map_err(|error| Problem::new(Code::E0701, format!("the listener has no address: {error}")))
}

impl Running {
    /// Open requests first, then what they recorded, then the threads.
    async fn stop(self) {
        let Self { lanes, drain, gateway, control, telemetry } = self;
        drain.begin();
        for (name, served) in [("gateway", gateway.await), ("control API", control.await)] {
            if let Err(error) = served {
                tracing::error!(%error, name, "a listener ended badly");
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

//! Where a guest leaves its response and the caller finds it.

use http::Response;
use parking_lot::Mutex;
use ports::Body;
use tokio::sync::oneshot;
use types::{Code, journal::Failure};

/// A place for one response.
#[derive(Default)]
pub(crate) struct Slot(Mutex<State>);

#[derive(Default)]
struct State {
    held: Held,
    status: Option<u16>,
    failure: Option<Failure>,
    client: Option<Code>,
    broken: Option<String>,
}

#[derive(Default)]
enum Held {
    #[default]
    Nothing,
    Response(Box<Response<Body>>),
    Waiter(oneshot::Sender<Response<Body>>),
}

impl Slot {
    /// Leaves the response: to whoever waits for it, else for whoever takes it.
    pub(crate) fn give(&self, response: Response<Body>) {
        let mut state = self.0.lock();
        state.status = Some(response.status().as_u16());
        state.held = match std::mem::take(&mut state.held) {
            Held::Waiter(waiter) => {
                // A waiter who is gone lets the response go too: dropping its body tells the guest that the client left.
                drop(waiter.send(response));
                Held::Nothing
            }
            Held::Nothing | Held::Response(_) => Held::Response(Box::new(response)),
        };
    }

    /// Whether there is a response to take.
    pub(crate) fn is_given(&self) -> bool {
        matches!(self.0.lock().held, Held::Response(_))
    }

    /// The response, if there is one.
    pub(crate) fn take(&self) -> Option<Response<Body>> {
        let mut state = self.0.lock();
        match std::mem::take(&mut state.held) {
            Held::Response(response) => Some(*response),
            held => {
                state.held = held;
                None
            }
        }
    }

    /// Waits for the response; an error means that there will be none.
    pub(crate) fn wait(&self) -> oneshot::Receiver<Response<Body>> {
        let (sender, receiver) = oneshot::channel();
        self.0.lock().held = Held::Waiter(sender);
        receiver
    }

    /// The status that was given, if one was.
    pub(crate) fn status(&self) -> Option<u16> {
        self.0.lock().status
    }

    /// Notes that the client's request broke off, and how.
    pub(crate) fn blame_client(&self, code: Option<Code>) {
        let mut state = self.0.lock();
        state.client = state.client.or(code);
    }

    /// Notes that the response's body broke off after its head was given, and why.
    pub(crate) fn break_off(&self, why: &str) {
        self.0.lock().broken.get_or_insert_with(|| why.to_owned());
    }

    /// Why the response's body broke off, if it did.
    pub(crate) fn broken_off(&self) -> Option<String> {
        self.0.lock().broken.clone()
    }

    /// What the client did wrong, unless the function has answered all the same.
    pub(crate) fn client_fault(&self) -> Option<Code> {
        let state = self.0.lock();
        state.client.filter(|_| state.status.is_none())
    }

    /// Notes how the guest failed and sends whoever waits away.
    pub(crate) fn close(&self, failure: Option<Failure>) {
        let mut state = self.0.lock();
        state.failure = failure;
        if matches!(state.held, Held::Waiter(_)) {
            state.held = Held::Nothing;
        }
    }

    /// How the guest failed, if it did.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.0.lock().failure.clone()
    }
}

//! Triggers: what is delivered, what comes again, what is given up.

mod chaos;
mod cron;
mod deploys;
mod failures;
mod queues;
mod shapes;
mod store;
mod streams;
mod world;

//! Schedules: when functions ran last and run next, and running one now.

use std::sync::Arc;

use axum::extract::State;
use ports::schedules::Schedule;
use types::{
    Code, FunctionName, Problem,
    wire::data::{Count, ScheduleRow},
};

use super::{
    super::reply::{Answer, Key, answer},
    Named,
};
use crate::core::Control;

/// The app's schedules.
#[utoipa::path(get, operation_id = "schedules", path = "/v1/apps/{app}/{env}/schedules", tag = "data",
    params(("app" = String, Path), ("env" = String, Path)), responses((status = 200, body = Vec<ScheduleRow>)))]
pub(crate) async fn schedules(State(control): State<Arc<Control>>, Key(key): Key) -> Answer<Vec<ScheduleRow>> {
    control.served(&key).await?;
    let row = |Schedule { function, schedule, zone, last, next }| ScheduleRow {
        function: FunctionName::to_string(&function),
        schedule,
        zone,
        last: last.map(|at: types::Timestamp| at.to_rfc3339()),
        next: next.map(|at: types::Timestamp| at.to_rfc3339()),
    };
    answer(control.data.schedules.schedules(&key).await?.into_iter().map(row).collect())
}

/// Starts a function as its schedule would, now.
#[utoipa::path(post, operation_id = "schedules_run", path = "/v1/apps/{app}/{env}/schedules/{function}/run", tag = "data",
    params(("app" = String, Path), ("env" = String, Path), ("function" = String, Path)), responses((status = 200, body = Count)))]
pub(crate) async fn run(State(control): State<Arc<Control>>, Named { key, name }: Named) -> Answer<Count> {
    let function: FunctionName = name.parse().map_err(|error| Problem::new(Code::E0111, format!("{error}")))?;
    control.data.schedules.run(&key, &function).await?;
    answer(Count { count: 1 })
}

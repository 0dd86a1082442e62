//! `dayfly cron`.

use types::wire::data::{Count, ScheduleRow};

use super::{Data, rows};
use crate::{
    Context,
    args::{Cron, CronVerb},
    exit::Result,
};

pub(crate) async fn run(context: &Context, Cron { of, verb }: Cron) -> Result {
    let data = Data::of(context, &of)?;
    match verb {
        CronVerb::Ls => {
            let schedules: Vec<ScheduleRow> = data.client.get(&data.path(&["schedules"])).await?;
            Ok(context.printer.data(&schedules, |schedules| table(schedules))?)
        }
        CronVerb::Run { function } => {
            let started: Count = data.client.post(&data.path(&["schedules", &function, "run"]), &()).await?;
            Ok(context.printer.data(&started, |_| format!("{function} started: dayfly trace last"))?)
        }
    }
}

fn table(schedules: &[ScheduleRow]) -> String {
    let row = |row: &ScheduleRow| {
        let time = |at: &Option<String>, none: &str| at.clone().unwrap_or_else(|| none.to_owned());
        vec![row.function.clone(), row.schedule.clone(), row.zone.clone(), time(&row.last, ""), time(&row.next, "never")]
    };
    rows(&["FUNCTION", "SCHEDULE", "ZONE", "LAST", "NEXT"], schedules.iter().map(row).collect(), "the app has no schedule")
}

//! `dayfly secret`.

use types::{
    Code, Problem,
    wire::data::{Count, SecretRow, SecretSet},
};

use super::{Data, rows};
use crate::{
    Context,
    args::{Secret, SecretVerb},
    exit::Result,
    input,
};

pub(crate) async fn run(context: &Context, Secret { of, verb }: Secret) -> Result {
    if matches!(verb, SecretVerb::Rotate) {
        let sealed: Count = context.client()?.post("/v1/secrets/rotate", &()).await?;
        return Ok(context.printer.data(&sealed, |sealed| format!("{} secrets sealed under a new key", sealed.count))?);
    }
    let data = Data::of(context, &of)?;
    match verb {
        SecretVerb::Set { name } => {
            let set: SecretSet = data.client.put(&data.path(&["secrets", &name]), value(&name)?).await?;
            Ok(context.printer.data(&set, |set| format!("secret.{name} version {}", set.version))?)
        }
        SecretVerb::Ls => {
            let secrets: Vec<SecretRow> = data.client.get(&data.path(&["secrets"])).await?;
            Ok(context.printer.data(&secrets, |secrets| table(secrets))?)
        }
        SecretVerb::Rm { name } => {
            let removed: Count = data.client.delete(&data.path(&["secrets", &name])).await?;
            Ok(context.printer.data(&removed, |_| format!("secret.{name} removed"))?)
        }
        SecretVerb::Rotate => Ok(()),
    }
}

/// Standard input without its last line break, which an editor or `echo` puts there. Never an argument: those end up in histories.
fn value(name: &str) -> Result<Vec<u8>> {
    use std::io::IsTerminal as _;
    if std::io::stdin().is_terminal() {
        anstream::eprintln!("type the value of {name}, then Ctrl-D (it is shown as you type)");
    }
    let mut value = input::standard_input()?;
    if value.last() == Some(&b'\n') {
        value.pop();
        if value.last() == Some(&b'\r') {
            value.pop();
        }
    }
    if value.is_empty() {
        let problem = Problem::new(Code::E0707, "standard input holds no value");
        return Err(problem.help(format!("dayfly secret set {name} < file")).into());
    }
    Ok(value)
}

fn table(secrets: &[SecretRow]) -> String {
    let row = |secret: &SecretRow| {
        let version = secret.version.map_or_else(|| "not set".to_owned(), |version| version.to_string());
        vec![secret.name.clone(), version, secret.set.clone().unwrap_or_default(), secret.used_by.join(", ")]
    };
    rows(&["SECRET", "VERSION", "SET", "USED BY"], secrets.iter().map(row).collect(), "the app has no secret")
}

//! `wasi:config`, in every version that SDKs import, and Spin's `variables`: the settings are the environment variables and the
//! secrets that the function was granted.
//!
//! A name that is granted as a secret is answered by the secret and nothing else. One that was never set is absent, so that no setting
//! stands in for it unnoticed.

use super::{
    Host,
    bindings::{
        fermyon::spin::variables,
        wasi::{config0_2_0_draft, config0_2_0_draft_2024_09_27, config0_2_0_rc_1},
    },
    store::Answered,
};

impl Host {
    async fn setting(&mut self, key: &str) -> Answered<Option<String>, String> {
        if self.scope.secrets().iter().any(|name| name == key) {
            return self.secret(key).await;
        }
        Ok(Ok(self.scope.environment().get(key).cloned()))
    }

    async fn secret(&mut self, name: &str) -> Answered<Option<String>, String> {
        let mut asked = self.scope.secret(name);
        let value = match self.wait(|_, cx| Ok(asked.as_mut().poll(cx))).await? {
            Ok(value) => value,
            Err(failure) => return Ok(Err(failure.message)),
        };
        let text = |bytes| String::from_utf8(bytes).map_err(|_| format!("the secret {name} is not text in UTF-8"));
        Ok(value.map(|value| text(value.0)).transpose())
    }

    async fn settings(&mut self) -> Answered<Vec<(String, String)>, String> {
        let secrets = self.scope.secrets();
        let plain = self.scope.environment().iter().filter(|(key, _)| !secrets.contains(key));
        let mut all: Vec<_> = plain.map(|(key, value)| (key.clone(), value.clone())).collect();
        for name in secrets {
            match self.secret(&name).await? {
                Ok(Some(value)) => all.push((name, value)),
                Ok(None) => {}
                Err(failed) => return Ok(Err(failed)),
            }
        }
        Ok(Ok(all))
    }
}

macro_rules! serve {
    ($($interface:path, $error:ident;)*) => {$(
        const _: () = {
            use $interface as interface;
            impl interface::Host for Host {
                async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, interface::$error>> {
                    Ok(self.setting(&key).await?.map_err(interface::$error::Upstream))
                }
                async fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, interface::$error>> {
                    Ok(self.settings().await?.map_err(interface::$error::Upstream))
                }
            }
        };
    )*};
}
serve! {
    config0_2_0_rc_1::store, Error;
    config0_2_0_draft::store, Error;
    config0_2_0_draft::runtime, ConfigError;
    config0_2_0_draft_2024_09_27::store, Error;
}

/// What a Spin variable may be called here. Spin knows small letters and underscores only; secrets mostly have dashes, and environment
/// variables capitals.
fn spellings(name: &str) -> [String; 3] {
    [name.to_owned(), name.replace('_', "-"), name.to_ascii_uppercase()]
}

impl variables::Host for Host {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, variables::Error>> {
        let (spellings, secrets) = (spellings(&name), self.scope.secrets());
        let known = |key: &&String| secrets.contains(key) || self.scope.environment().contains_key(*key);
        let Some(key) = spellings.iter().find(known) else { return Ok(Err(variables::Error::Undefined(name))) };
        Ok(match self.setting(key).await? {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(variables::Error::Undefined(name)),
            Err(failed) => Err(variables::Error::Provider(failed)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spin_variable_is_found_by_the_spellings_of_others() {
        assert_eq!(spellings("api_key"), ["api_key", "api-key", "API_KEY"]);
    }
}

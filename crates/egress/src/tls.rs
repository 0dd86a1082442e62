//! TLS to the outside: rustls on aws-lc-rs, with the system's roots, which are read when the first https call needs them.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::CertificateDer};
use tokio::sync::OnceCell;

/// Whom to trust.
#[derive(Debug, Clone)]
pub enum Roots {
    /// The system's certificates.
    Native,
    /// These and no others, in DER.
    Given(Vec<Vec<u8>>),
}

/// The settings of all TLS connections, made once.
pub(crate) struct Tls {
    roots: Roots,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    pub(crate) fn new(roots: Roots) -> Self {
        Self { roots, config: OnceCell::new() }
    }

    /// The settings.
    ///
    /// # Errors
    /// In words, if there is no certificate to trust; the next call tries again.
    pub(crate) async fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let make = || async {
            let roots = self.roots.clone();
            // Reading hundreds of certificates takes milliseconds, so it has a thread of its own.
            let made = tokio::task::spawn_blocking(move || build(roots)).await;
            made.map_err(|_| "reading the certificates broke off".to_owned())?
        };
        self.config.get_or_try_init(make).await.cloned()
    }
}

fn build(roots: Roots) -> Result<Arc<ClientConfig>, String> {
    let certificates = match roots {
        Roots::Native => rustls_native_certs::load_native_certs().certs,
        Roots::Given(given) => given.into_iter().map(CertificateDer::from).collect(),
    };
    let mut store = RootCertStore::empty();
    // Systems carry certificates that rustls doesn't read; the others still count.
    let (added, _) = store.add_parsable_certificates(certificates);
    if added == 0 {
        return Err("this machine has no root certificates: install the package ca-certificates".into());
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let mut config = builder.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

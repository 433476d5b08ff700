//! Whom an encrypted connection is made to.

use std::path::Path;
use std::sync::Arc;

use hookrail_abi::prelude::*;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The certificates of a file.
///
/// # Errors
/// If there are none, with the name of the option.
pub(crate) fn trusted(path: &Path) -> Result<RootCertStore> {
    let fails = |why: &dyn std::fmt::Display| format!("`ca_file`: {}: {why}", path.display());
    let text = std::fs::read(path).map_err(|error| fails(&error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| fails(&format_args!("it is not PEM: {error}")))?;
        roots.add(certificate).map_err(|error| fails(&error))?;
    }
    if roots.is_empty() { Err(fails(&"it has no certificates in PEM form").into()) } else { Ok(roots) }
}

/// How connections are made: to whom the certificates of that file, or else those of the system, vouch for.
///
/// # Errors
/// If there are none.
pub(crate) fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>> {
    let roots = match ca_file {
        Some(path) => trusted(path)?,
        None => system()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn system() -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    // Some that cannot be read, or are old, are no reason not to trust the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("this system has no certificates that can be read: install them, or name some in `ca_file`".into());
    }
    Ok(roots)
}

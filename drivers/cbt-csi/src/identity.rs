//! Who is behind the socket, and whether it has what is needed.

use std::{future::Future, path::Path, time::Duration};

use proto::cbt::{
    Error, Result,
    csi::{
        GetPluginCapabilitiesRequest, GetPluginInfoRequest, PluginCapability, ProbeRequest,
        identity_client::IdentityClient,
        plugin_capability::{Type, service},
    },
};
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

/// How long a driver may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait before a driver is asked again that was not there: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// A driver that is ready and has the SnapshotMetadata service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// Asks.
pub(crate) async fn identify(channel: &Channel) -> Result<Identity> {
    let asked = timeout(PATIENCE, ask(IdentityClient::new(channel.clone()))).await;
    asked.unwrap_or_else(|_| Err(Error::Unavailable(format!("the CSI driver has not answered within {PATIENCE:?}"))))
}

/// Asks until there is an answer. What else is tried meanwhile is answered by itself.
pub(crate) async fn wait<F: Future<Output = Result<Identity>>>(socket: &Path, identify: impl Fn() -> F) -> Identity {
    let (mut pause, longest) = PAUSES;
    loop {
        match identify().await {
            Ok(identity) => return identity,
            Err(error) if pause == PAUSES.0 => {
                tracing::warn!(socket = %socket.display(), "waiting for the CSI driver at {}: {error}", socket.display());
            }
            Err(error) => tracing::debug!("still waiting for the CSI driver: {error}"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

async fn ask(mut driver: IdentityClient<Channel>) -> Result<Identity> {
    let unavailable = |status: tonic::Status| {
        Error::Unavailable(format!("the CSI driver does not say who it is: {} ({})", status.message(), status.code()))
    };
    let info = driver.get_plugin_info(GetPluginInfoRequest {}).await.map_err(unavailable)?.into_inner();
    if info.name.is_empty() || info.vendor_version.is_empty() {
        return Err(Error::Unavailable("the CSI driver says no name or no version".to_owned()));
    }
    let request = GetPluginCapabilitiesRequest {};
    let capabilities = driver.get_plugin_capabilities(request).await.map_err(unavailable)?.into_inner().capabilities;
    if !capabilities.iter().any(is_snapshot_metadata) {
        let name = &info.name;
        return Err(Error::Unavailable(format!(
            "the CSI driver {name} has no SnapshotMetadata service (--csi-address)"
        )));
    }
    let probe = driver.probe(ProbeRequest {}).await.map_err(unavailable)?.into_inner();
    if probe.ready == Some(false) {
        return Err(Error::Unavailable(format!("the CSI driver {} is not ready", info.name)));
    }
    Ok(Identity { name: info.name, version: info.vendor_version })
}

fn is_snapshot_metadata(capability: &PluginCapability) -> bool {
    let Some(Type::Service(service)) = &capability.r#type else { return false };
    service.r#type() == service::Type::SnapshotMetadataService
}

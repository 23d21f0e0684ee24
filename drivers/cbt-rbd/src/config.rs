//! The driver's flags.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use runtime::args::duration;

use crate::handle::Template;

/// How Ceph is reached, and what its snapshots are called.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Ceph RBD")]
pub struct Config {
    /// The rbd command, version 16 or later.
    #[arg(long, env = "OUTRIGGER_RBD_COMMAND", value_name = "FILE", default_value = "rbd")]
    pub rbd_command: PathBuf,
    /// The cluster's configuration, instead of /etc/ceph/ceph.conf.
    #[arg(long, env = "OUTRIGGER_RBD_CONF", value_name = "FILE")]
    pub rbd_conf: Option<PathBuf>,
    /// Who to be, without `client.`, where the snapshot's class has no secret with userID and userKey.
    #[arg(long, env = "OUTRIGGER_RBD_ID", value_name = "NAME")]
    pub rbd_id: Option<String>,
    /// The keyring of --rbd-id.
    #[arg(long, env = "OUTRIGGER_RBD_KEYRING", value_name = "FILE", requires = "rbd_id")]
    pub rbd_keyring: Option<PathBuf>,
    /// The CSI driver whose snapshots these are.
    #[arg(long, env = "OUTRIGGER_RBD_DRIVER", value_name = "NAME", default_value = "rbd.csi.ceph.com")]
    pub rbd_driver: String,
    /// What a snapshot handle of ceph-csi stands for, with {pool}, {cluster} and {uuid} in it.
    #[arg(
        long,
        env = "OUTRIGGER_RBD_IMAGE_TEMPLATE",
        value_name = "SPEC",
        default_value = "{pool}/csi-snap-{uuid}@csi-snap-{uuid}"
    )]
    pub rbd_image_template: String,
    /// The name of a pool by its number, which is what handles of ceph-csi have; repeatable.
    #[arg(long, env = "OUTRIGGER_RBD_POOL", value_name = "NUMBER=NAME", value_delimiter = ',', value_parser = pool)]
    pub rbd_pool: Vec<(u64, String)>,
    /// Bytes of a block where blocks of one size are asked for; by default those of an object of the image, 4 MiB mostly.
    #[arg(long, env = "OUTRIGGER_RBD_BLOCK_SIZE", value_name = "BYTES", value_parser = block_size)]
    pub rbd_block_size: Option<u64>,
    /// Answer by whole objects: faster with the fast-diff feature, and coarser.
    #[arg(long, env = "OUTRIGGER_RBD_WHOLE_OBJECT", value_parser = clap::builder::FalseyValueParser::new())]
    pub rbd_whole_object: bool,
    /// How many lists are kept, so that the next page of one need not ask Ceph for all of it again.
    #[arg(long, env = "OUTRIGGER_RBD_KEEP", value_name = "N", default_value_t = 16)]
    pub rbd_keep: usize,
    /// Folder for lists, of 16 bytes an extent, and for keyrings of secrets; by default the system's for temporary files.
    #[arg(long, env = "OUTRIGGER_RBD_TEMP_DIR", value_name = "DIR")]
    pub rbd_temp_dir: Option<PathBuf>,
    /// How long Ceph may take to say which snapshots an image has.
    #[arg(long, env = "OUTRIGGER_RBD_TIMEOUT", value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub rbd_timeout: Duration,
}

// === impl Config ===

impl Config {
    /// The names of ceph-csi's snapshots; the error is for who wrote the flag.
    pub(crate) fn template(&self) -> Result<Template, String> {
        let pools: BTreeMap<u64, String> = self.rbd_pool.iter().cloned().collect();
        Template::new(&self.rbd_image_template, pools).map_err(|error| format!("--rbd-image-template {error}"))
    }
}

fn pool(text: &str) -> Result<(u64, String), String> {
    let parsed = text.split_once('=').and_then(|(number, name)| Some((number.parse().ok()?, name.to_owned())));
    parsed.filter(|(_, name): &(u64, String)| !name.is_empty()).ok_or_else(|| "write it like 2=replicapool".to_owned())
}

fn block_size(text: &str) -> Result<u64, String> {
    let size = text.parse().ok().filter(|size: &u64| size.is_power_of_two() && (512..=1 << 30).contains(size));
    size.ok_or_else(|| "it must be a power of two from 512 to 1073741824".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn every_flag_is_also_an_environment_variable() {
        for arg in Flags::command().get_arguments() {
            let long = arg.get_long().expect("every argument here is a flag");
            let name = format!("OUTRIGGER_{}", long.replace('-', "_").to_uppercase());
            assert_eq!(arg.get_env().map(|env| env.to_string_lossy().into_owned()), Some(name));
        }
    }

    #[test]
    fn bad_values_are_refused() {
        for args in [
            ["x", "--rbd-pool", "replicapool"],
            ["x", "--rbd-pool", "x=replicapool"],
            ["x", "--rbd-pool", "2="],
            ["x", "--rbd-block-size", "0"],
            ["x", "--rbd-block-size", "4097"],
            ["x", "--rbd-block-size", "4Mi"],
            ["x", "--rbd-timeout", "5"],
            ["x", "--rbd-keyring", "/k"],
        ] {
            assert!(Flags::try_parse_from(args).is_err(), "{args:?}");
        }
    }

    #[test]
    fn pools_have_numbers_and_names() {
        let flags = Flags::parse_from(["x", "--rbd-pool", "2=a,3=b", "--rbd-pool", "4=c"]);
        assert_eq!(flags.config.rbd_pool, [(2, "a".to_owned()), (3, "b".to_owned()), (4, "c".to_owned())]);
        assert!(flags.config.template().is_ok());
    }
}

//! A BMC with one machine that is on, and a driver that is configured for it.

use fakes::{Driver, Fake};
use kit::{Authority, Scratch};
use proto::node::{Node, Step, Take, client::Client};
use runtime::grpc::Channel;

pub(crate) const SYSTEM: &str = "27946b59-9e44-4fa7-8e91-f3527a1ef094";
pub(crate) const USER: &str = "outrigger";
pub(crate) const PASSWORD: &str = "canary-password";

/// Both ends.
pub(crate) struct Site {
    pub(crate) bmc: Fake,
    pub(crate) scratch: Scratch,
    pub(crate) driver: Driver,
    pub(crate) power: Client<Channel>,
}

impl Site {
    pub(crate) fn new(system: Option<&str>) -> Self {
        let (authority, scratch) = (Authority::new("BMCs").unwrap(), Scratch::new("redfish").unwrap());
        let certificate = authority.server(&["127.0.0.1"]).unwrap();
        let folder = scratch.path().display().to_string();
        let args = ["--folder", &folder, "--user", USER, "--password", PASSWORD];
        let bmc = Fake::start("bmc", Some(&certificate), &args).unwrap();
        scratch.write("ca.crt", authority.cert()).unwrap();
        scratch.write("password", PASSWORD).unwrap();
        write_machines(&scratch, bmc.port(), system);
        let driver = drive(&scratch, &[]);
        let power = driver.client().unwrap();
        Self { bmc, scratch, driver, power }
    }
}

/// Says where the BMC is, which file holds its password, and which its CA.
pub(crate) fn write_machines(scratch: &Scratch, port: u16, system: Option<&str>) {
    let folder = scratch.path().display();
    let system = system.map_or_else(String::new, |system| format!("system = '{system}'\n"));
    let text = format!(
        "[[machine]]\nnode = 'worker-1'\nurl = 'https://127.0.0.1:{port}'\nusername = '{USER}'\n\
        password-file = '{folder}/password'\nca-file = '{folder}/ca.crt'\n{system}"
    );
    scratch.write("machines.toml", text).unwrap();
}

pub(crate) fn drive(scratch: &Scratch, flags: &[&str]) -> Driver {
    let machines = scratch.file("machines.toml").display().to_string();
    let flags = [&["--redfish-machines", &machines, "--call-timeout", "5s"], flags].concat();
    Driver::start(env!("CARGO_BIN_EXE_outrigger-node-redfish"), &flags, &[]).unwrap()
}

pub(crate) fn worker() -> Node {
    Node { name: "worker-1".to_owned(), provider_id: "redfish://worker-1".to_owned(), ..Node::default() }
}

pub(crate) fn take(step: Step) -> Take {
    Take { node: worker(), step, token: "token".to_owned(), reason: "a test".to_owned() }
}

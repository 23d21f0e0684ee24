//! sushy-emulator as it comes, with its own TLS and its own passwords.

use std::process::Command;

use futures::TryStreamExt;
use kit::{Authority, Pair, Process, Python, Scratch, eventually};
use proto::node::{Error, Mode, NodePower, Progress, State, Step};

use crate::support::{PASSWORD, SYSTEM, USER, drive, take, worker, write_machines};

/// Its machine is on.
struct Emulator {
    scratch: Scratch,
    _process: Process,
}

impl Emulator {
    fn start() -> Self {
        let (python, scratch) = (Python::find().unwrap(), Scratch::new("sushy").unwrap());
        let [port] = kit::free_ports().unwrap();
        let authority = Authority::new("BMCs").unwrap();
        let Pair { cert, key } = authority.server(&["127.0.0.1"]).unwrap();
        let (cert, key) = (scratch.write("tls.crt", cert).unwrap(), scratch.write("tls.key", key).unwrap());
        let hash = "import bcrypt, sys; print(bcrypt.hashpw(sys.argv[1].encode(), bcrypt.gensalt(4)).decode())";
        let hash = Command::new(python.python()).args(["-c", hash, PASSWORD]).output().unwrap().stdout;
        let users = format!("{USER}:{}", String::from_utf8(hash).unwrap());
        let users = scratch.write("users", users).unwrap();
        let config = format!(
            "SUSHY_EMULATOR_AUTH_FILE = '{}'\nSUSHY_EMULATOR_STATE_DIR = '{}'\nSUSHY_EMULATOR_FAKE_SYSTEMS = \
            [{{'uuid': '{SYSTEM}', 'name': 'worker-1', 'power_state': 'On', 'nics': []}}]\n",
            users.display(),
            scratch.path().display()
        );
        let config = scratch.write("config.py", config).unwrap();
        let text = |path: &std::path::Path| path.display().to_string();
        let args = [
            ["--fake", "--interface=127.0.0.1"].map(str::to_owned).to_vec(),
            vec![format!("--port={port}"), format!("--config={}", text(&config))],
            vec![format!("--ssl-certificate={}", text(&cert)), format!("--ssl-key={}", text(&key))],
        ]
        .concat();
        let process = Process::spawn("sushy", &python.bin("sushy-emulator"), &args, &scratch.file("log")).unwrap();
        eventually!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(), "sushy-emulator listens");
        scratch.write("ca.crt", authority.cert()).unwrap();
        scratch.write("password", PASSWORD).unwrap();
        write_machines(&scratch, port, Some(SYSTEM));
        Self { scratch, _process: process }
    }
}

#[tokio::test]
async fn a_machine_is_described_and_restarted() {
    let emulator = Emulator::start();
    let driver = drive(&emulator.scratch, &[]);
    let power = driver.client().unwrap();
    let instance = power.describe(&worker()).await.unwrap();
    assert_eq!(
        (instance.id.as_str(), instance.state, instance.provider_state.as_str()),
        (SYSTEM, State::Running, "On")
    );
    assert_eq!(instance.names, ["worker-1"]);
    let plan = power.plan(&worker(), Mode::Hard).await.unwrap();
    assert_eq!(plan.steps, [Step::Reset]);
    assert!(plan.verdict.contains("ForceRestart"), "{}", plan.verdict);
    for (step, end) in [
        (Step::Reboot, State::Running),
        (Step::Reset, State::Running),
        (Step::Stop, State::Stopped),
        (Step::Start, State::Running),
    ] {
        let progress: Vec<_> = power.take(take(step)).await.unwrap().try_collect().await.unwrap();
        assert!(matches!(progress[0], Progress::Accepted { .. }), "{progress:?}");
        let last = progress.last();
        assert!(matches!(last, Some(Progress::Instance(instance)) if instance.state == end), "{step:?}: {progress:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_forbidden_and_a_right_one_is_read_anew() {
    let emulator = Emulator::start();
    let driver = drive(&emulator.scratch, &["--debug-level", "9"]);
    let power = driver.client().unwrap();
    emulator.scratch.write("password", "canary-wrong").unwrap();
    let heard = power.describe(&worker()).await;
    assert!(matches!(&heard, Err(Error::Forbidden(why)) if why.contains("--redfish-machines")), "{heard:?}");
    emulator.scratch.write("password", "").unwrap();
    let heard = power.describe(&worker()).await;
    assert!(matches!(&heard, Err(Error::Forbidden(why)) if why.contains("password-file")), "{heard:?}");
    emulator.scratch.write("password", PASSWORD).unwrap();
    assert!(power.describe(&worker()).await.is_ok());
    assert!(!driver.output().contains("canary"), "{}", driver.output());
}

#[tokio::test]
async fn a_bmc_with_another_ca_does_not_get_the_password() {
    let emulator = Emulator::start();
    emulator.scratch.write("ca.crt", Authority::new("others").unwrap().cert()).unwrap();
    let driver = drive(&emulator.scratch, &[]);
    let heard = driver.client().unwrap().describe(&worker()).await;
    assert!(matches!(heard, Err(Error::Unreachable(_))), "{heard:?}");
}

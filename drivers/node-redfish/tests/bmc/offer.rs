//! What a BMC offers, and where it says so.

use proto::node::{Error, Mode, NodePower, Step};
use serde_json::json;

use crate::support::{PASSWORD, SYSTEM, Site, take, worker, write_machines};

#[tokio::test]
async fn what_is_not_offered_is_unsupported_and_not_tried() {
    let site = Site::new(None);
    site.bmc.tell("offer", json!({"types": ["On", "ForceOff"]})).unwrap();
    let plan = site.power.plan(&worker(), Mode::Soft).await;
    assert!(matches!(&plan, Err(Error::Unsupported(why)) if why.contains("On, ForceOff")), "{plan:?}");
    assert_eq!(site.power.plan(&worker(), Mode::Hard).await.unwrap().steps, [Step::Stop, Step::Start]);
    let heard = site.power.take(take(Step::Reboot)).await.map(|_| ());
    assert!(matches!(heard, Err(Error::Unsupported(_))), "{heard:?}");
    assert_eq!(site.bmc.calls().received, 0);
}

#[tokio::test]
async fn an_action_info_is_followed_at_the_bmc_alone() {
    let site = Site::new(Some(SYSTEM));
    let offer = json!({"types": ["PowerCycle"], "where": "/redfish/v1/ResetActionInfo"});
    site.bmc.tell("offer", offer).unwrap();
    drop(site.power.take(take(Step::Reset)).await);
    assert_eq!(site.bmc.tell("calls", json!({})).unwrap()["log"][0]["kind"], "PowerCycle");
    for path in ["https://elsewhere.example/redfish/v1/ResetActionInfo", "//elsewhere.example/x"] {
        site.bmc.tell("offer", json!({"types": [], "where": path})).unwrap();
        let plan = site.power.plan(&worker(), Mode::Hard).await;
        assert!(matches!(plan, Err(Error::Unsupported(_))), "{plan:?}");
    }
}

#[tokio::test]
async fn the_file_is_read_anew() {
    let site = Site::new(None);
    assert!(site.power.describe(&worker()).await.is_ok());
    write_machines(&site.scratch, site.bmc.port(), Some("no-such-system"));
    let heard = site.power.describe(&worker()).await;
    assert!(matches!(heard, Err(Error::NotFound(_))), "{heard:?}");
    site.scratch.write("machines.toml", format!("[[machine]]\npassword = '{PASSWORD}'\n")).unwrap();
    let heard = site.power.describe(&worker()).await;
    assert!(matches!(&heard, Err(Error::Unreachable(why)) if why.contains("--redfish-machines")), "{heard:?}");
    assert!(!format!("{heard:?}{}", site.driver.output()).contains(PASSWORD));
    site.scratch.write("machines.toml", "").unwrap();
    let heard = site.power.describe(&worker()).await;
    assert!(matches!(heard, Err(Error::Invalid(_))), "{heard:?}");
}

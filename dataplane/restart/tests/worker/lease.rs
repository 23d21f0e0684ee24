//! Several workers: one works, the next takes over, and together they do nothing twice.

use restart::Phase;

use crate::{kubelet::Machine, world::World};

#[tokio::test(start_paused = true)]
async fn of_several_workers_one_works_and_any_takes_requests() {
    let (world, _) = World::fake().await;
    world.machine(Machine::Slow);
    let workers = [world.worker(), world.worker(), world.worker()];
    for worker in &workers {
        let name = worker.submit("node", "").await.unwrap().name;
        assert_eq!(world.ended(&name).await.status.phase, Phase::Succeeded);
    }
    assert_eq!(world.cloud.takes().len(), 3);
    for worker in workers {
        worker.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_takes_over_from_one_that_is_gone() {
    let (world, _) = World::fake().await;
    world.machine(Machine::Slow);
    let first = world.worker();
    let name = first.submit("node", "").await.unwrap().name;
    world.in_phase(&name, Phase::Sent).await;
    first.kill().await;
    let second = world.worker();
    assert_eq!(world.ended(&name).await.status.phase, Phase::Succeeded);
    assert_eq!(world.cloud.takes().len(), 1);
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_stops_gives_the_lease_up() {
    let (world, _) = World::fake().await;
    world.machine(Machine::Slow);
    let (first, second) = (world.worker(), world.worker());
    let name = first.submit("node", r#""notBefore":"2026-11-21T12:10:00Z""#).await.unwrap().name;
    first.stop().await;
    assert_eq!(world.ended(&name).await.status.phase, Phase::Succeeded);
    second.stop().await;
}

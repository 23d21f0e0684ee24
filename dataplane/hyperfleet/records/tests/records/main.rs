//! What records must do, on either database: each case is a function, and both databases take all of them.

mod changes;
mod create;
mod delete;
mod kubernetes;
mod list;
mod patch;
mod report;
mod together;
mod world;

use world::World;

/// The list of cases.
macro_rules! suite {
    ($($module:ident: $($case:ident),+;)+) => {
        mod sqlite {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let world = crate::World::sqlite().await.expect("a world");
                    crate::$module::$case(&world).await.expect("the case");
                })+
            })+
        }

        /// One server for all cases, each with a database of its own.
        #[tokio::test(flavor = "multi_thread")]
        async fn postgres() {
            let mut failed = Vec::new();
            $($({
                let case = tokio::task::spawn_blocking(|| {
                    let world = async {
                        let world = World::postgres().await?;
                        crate::$module::$case(&world).await
                    };
                    tokio::runtime::Handle::current().block_on(world)
                });
                match case.await {
                    Ok(Ok(())) => (),
                    Ok(Err(error)) => failed.push(format!("{}: {error:#}", stringify!($case))),
                    Err(panic) => failed.push(format!("{}: {panic}", stringify!($case))),
                }
            })+)+
            assert!(failed.is_empty(), "{failed:#?}");
        }
    };
}

suite! {
    create: a_record_is_read_as_it_was_made, a_name_is_taken_once, a_node_pool_needs_its_cluster,
        what_cannot_be_kept_is_refused, an_object_name_is_the_name_where_it_can_be, nothing_is_found_by_what_is_no_id,
        what_is_asked_is_counted;
    list: a_list_is_paged_and_counted, a_list_is_ordered_and_stable, a_cluster_has_its_own_node_pools,
        searches_find, bad_searches_are_refused, searches_find_what_an_evaluation_finds;
    patch: another_spec_is_another_generation, nothing_different_changes_nothing, labels_are_found_as_they_are_now,
        a_name_can_change;
    report: a_report_is_read_as_it_was_stored, the_aggregate_follows_reports, stale_reports_do_not_win,
        required_adapters_decide, node_pools_are_aggregated_too, a_changed_spec_is_not_ready;
    delete: what_nothing_holds_goes_at_once, adapters_finalize, node_pools_go_first, force_goes_at_once,
        what_is_being_deleted_takes_no_changes;
    changes: every_change_is_in_the_log, a_list_is_as_of_a_revision, old_changes_are_forgotten,
        who_waits_is_woken, another_process_wakes_too;
    kubernetes: put_makes_changes_and_deletes, put_is_at_its_revision, finalizers_hold;
    together: first_reports_race, creates_race, a_cluster_goes_while_node_pools_come, every_revision_is_there_once;
}

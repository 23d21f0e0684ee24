//! Runs the table: one test per case and database, named `database::area::case`, with the options of every Rust test.

use std::process::ExitCode;

use hyperfleet_tests::cases::AREAS;
use hyperfleet_tests::cx::Cx;
use hyperfleet_tests::server::{Database, Target};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match Target::given() {
        Ok(None) => {
            let ours = Database::ALL.iter();
            let trials = ours.flat_map(|&(name, database)| trials(name, move || database.server().target()));
            libtest_mimic::run(&arguments, trials.collect()).exit_code()
        }
        Ok(Some(target)) => libtest_mimic::run(&arguments, trials("given", move || target.clone())).exit_code(),
        Err(error) => {
            let refused = Trial::test("given", move || Err(Failed::from(format!("{error:#}"))));
            libtest_mimic::run(&arguments, vec![refused]).exit_code()
        }
    }
}

fn trials(server: &str, target: impl Fn() -> Target + Clone + Send + 'static) -> Vec<Trial> {
    let cases = AREAS.iter().flat_map(|(area, cases)| cases.iter().map(move |case| (area, case)));
    let trial = |(area, case): (&&str, &'static hyperfleet_tests::cases::Case)| {
        let target = target.clone();
        Trial::test(format!("{server}::{area}::{}", case.name), move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let cx = Cx::new(target())?;
            runtime.block_on((case.run)(&cx)).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    cases.map(trial).collect()
}

//! Lists as sets.

use super::{
    Call, Function,
    Kind::{Bool, List, Same},
    global,
};
use crate::cel::{
    budget::Fault,
    value::{Val, contains, contains_all},
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("sets.contains", &[List, Same], Bool, |mut call| {
        let (one, two) = both(&mut call)?;
        Ok(Val::Bool(contains_all(&one, &two, call.budget)?))
    }),
    global("sets.equivalent", &[List, Same], Bool, |mut call| {
        let (one, two) = both(&mut call)?;
        Ok(Val::Bool(contains_all(&one, &two, call.budget)? && contains_all(&two, &one, call.budget)?))
    }),
    global("sets.intersects", &[List, Same], Bool, |mut call| {
        let (one, two) = both(&mut call)?;
        for item in &two {
            if contains(&one, item, call.budget)? {
                return Ok(Val::Bool(true));
            }
        }
        Ok(Val::Bool(false))
    }),
];

type Items<'a> = Vec<Val<'a>>;

fn both<'a>(call: &mut Call<'a, '_>) -> Result<(Items<'a>, Items<'a>), Fault> {
    Ok((call.items(0)?, call.items(1)?))
}

//! Formats that have a name.

use super::{
    Call, Function,
    Kind::{Library as Of, OptionalLibrary, OptionalTexts, Text},
    global, method,
};
use crate::cel::{
    budget::Fault,
    library::{FORMAT, Library, Named},
    value::Val,
};

/// A function for each, by its name.
macro_rules! named {
    ($($name:literal),* $(,)?) => {
        pub(super) const FUNCTIONS: &[Function] = &[
            $(global(concat!("format.", $name), &[], Of(FORMAT), |_| of($name)),)*
            global("format.named", &[Text], OptionalLibrary(FORMAT), |mut call| {
                let name = call.text(0)?;
                Ok(Val::optional(Named::find(&name).map(|named| Library::Format(named).into_val())))
            }),
            method("validate", &[Of(FORMAT), Text], OptionalTexts, validate),
        ];
    };
}

named![
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

fn of<'a>(name: &str) -> Result<Val<'a>, Fault> {
    Named::find(name).map(|named| Library::Format(named).into_val()).ok_or_else(Fault::overload)
}

fn validate<'a>(mut call: Call<'a, '_>) -> Result<Val<'a>, Fault> {
    let text = call.text(1)?;
    let Val::Library(value) = call.arg(0)? else { return Err(Fault::overload()) };
    let Library::Format(named) = value.get() else { return Err(Fault::overload()) };
    let problems = named.check(&text);
    let found = (!problems.is_empty()).then(|| Val::list(problems.into_iter().map(Val::text).collect()));
    Ok(Val::optional(found))
}

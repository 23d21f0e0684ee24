//! Addresses, networks and URLs.

use std::net::IpAddr;

use super::{
    Call, Function,
    Kind::{Any, Bool, Int, Library as Of, Text},
    global, method,
};
use crate::cel::{
    budget::Fault,
    library::{CIDR, Cidr, IP, Library, URL, Url, read_address},
    value::Val,
};

type Found<'a> = Result<Val<'a>, Fault>;

pub(super) const FUNCTIONS: &[Function] = &[
    global("ip", &[Text], Of(IP), |mut call| {
        let text = call.text(0)?;
        Ok(Library::Ip(read_address(&text).map_err(Fault::Error)?).into_val())
    }),
    global("isIP", &[Text], Bool, |mut call| Ok(Val::Bool(read_address(&call.text(0)?).is_ok()))),
    global("ip.isCanonical", &[Text], Bool, |mut call| {
        let text = call.text(0)?;
        Ok(Val::Bool(read_address(&text).map_err(Fault::Error)?.to_string() == text))
    }),
    method("family", &[Of(IP)], Int, |call| Ok(Val::Int(if address(&call, 0)?.is_ipv4() { 4 } else { 6 }))),
    method("isUnspecified", &[Of(IP)], Bool, |call| test(&call, |address| address.is_unspecified())),
    method("isLoopback", &[Of(IP)], Bool, |call| test(&call, |address| address.is_loopback())),
    method("isLinkLocalMulticast", &[Of(IP)], Bool, |call| test(&call, is_local_multicast)),
    method("isLinkLocalUnicast", &[Of(IP)], Bool, |call| test(&call, is_local_unicast)),
    method("isGlobalUnicast", &[Of(IP)], Bool, |call| test(&call, is_global_unicast)),
    global("cidr", &[Text], Of(CIDR), |mut call| {
        let text = call.text(0)?;
        Ok(Library::Cidr(read_network(&text)?).into_val())
    }),
    global("isCIDR", &[Text], Bool, |mut call| Ok(Val::Bool(Cidr::read(&call.text(0)?).is_ok()))),
    method("containsIP", &[Of(CIDR), Of(IP)], Bool, contains_address),
    method("containsIP", &[Of(CIDR), Text], Bool, contains_address),
    method("containsCIDR", &[Of(CIDR), Of(CIDR)], Bool, contains_network),
    method("containsCIDR", &[Of(CIDR), Text], Bool, contains_network),
    method("ip", &[Of(CIDR)], Of(IP), |call| Ok(Library::Ip(network(&call, 0)?.address).into_val())),
    method("masked", &[Of(CIDR)], Of(CIDR), |call| Ok(Library::Cidr(network(&call, 0)?.masked()).into_val())),
    method("prefixLength", &[Of(CIDR)], Int, |call| Ok(Val::Int(network(&call, 0)?.bits.into()))),
    global("url", &[Text], Of(URL), |mut call| {
        let text = call.text(0)?;
        Ok(Library::Url(Url::read(&text).map_err(Fault::Error)?).into_val())
    }),
    global("isURL", &[Text], Bool, |mut call| Ok(Val::Bool(Url::read(&call.text(0)?).is_ok()))),
    method("getScheme", &[Of(URL)], Text, |call| of_url(call, |url| url.scheme.clone())),
    method("getHost", &[Of(URL)], Text, |call| of_url(call, |url| url.host.clone())),
    method("getHostname", &[Of(URL)], Text, |call| of_url(call, |url| url.hostname().to_owned())),
    method("getPort", &[Of(URL)], Text, |call| of_url(call, |url| url.port().to_owned())),
    method("getEscapedPath", &[Of(URL)], Text, |call| of_url(call, Url::escaped_path)),
    method("getQuery", &[Of(URL)], Any, query),
];

fn library<'c>(call: &'c Call<'_, '_>, index: usize) -> Result<&'c Library, Fault> {
    if let Val::Library(value) = call.arg(index)? { Ok(value.get()) } else { Err(Fault::overload()) }
}

fn address(call: &Call<'_, '_>, index: usize) -> Result<IpAddr, Fault> {
    if let Library::Ip(address) = library(call, index)? { Ok(*address) } else { Err(Fault::overload()) }
}

fn network(call: &Call<'_, '_>, index: usize) -> Result<Cidr, Fault> {
    if let Library::Cidr(network) = library(call, index)? { Ok(*network) } else { Err(Fault::overload()) }
}

fn read_network(text: &str) -> Result<Cidr, Fault> {
    let because = |why| Fault::error(format!("network address parse error during conversion from string: {why}"));
    Cidr::read(text).map_err(because)
}

fn test<'a>(call: &Call<'a, '_>, holds: fn(IpAddr) -> bool) -> Found<'a> {
    Ok(Val::Bool(holds(address(call, 0)?)))
}

fn contains_address<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let address = match call.arg(1)? {
        Val::Text(_) => read_address(&call.text(1)?).map_err(Fault::Error)?,
        _ => address(&call, 1)?,
    };
    Ok(Val::Bool(network(&call, 0)?.contains(address)))
}

fn contains_network<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let other = match call.arg(1)? {
        Val::Text(_) => read_network(&call.text(1)?)?,
        _ => network(&call, 1)?,
    };
    Ok(Val::Bool(network(&call, 0)?.contains_all(other)))
}

fn is_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}

fn is_local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
    }
}

/// As Go has it, where private addresses are global.
fn is_global_unicast(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    !broadcast && !special && !is_local_unicast(address)
}

fn of_url<'a>(call: Call<'a, '_>, part: fn(&Url) -> String) -> Found<'a> {
    let Library::Url(url) = library(&call, 0)? else { return Err(Fault::overload()) };
    let part = part(url);
    call.made(part)
}

fn query<'a>(call: Call<'a, '_>) -> Found<'a> {
    let Library::Url(url) = library(&call, 0)? else { return Err(Fault::overload()) };
    let parameters = url.query();
    call.budget.take(parameters.len())?;
    let values = |values: Vec<String>| Val::list(values.into_iter().map(Val::text).collect());
    let entries: Vec<_> = parameters.into_iter().map(|(name, found)| (Val::text(name), values(found))).collect();
    Ok(Val::Map(entries.into()))
}

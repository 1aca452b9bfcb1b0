//! The IP address filter: kept and reported, but nobody is kept out.

use std::net::IpAddr;

use super::settings::{bad_value, prefixed, too_many};
use crate::service::Call;
use crate::soap::Fault;
use crate::state::lock;
use crate::xml::{Element, TDS, TT, element};

const MAX_ENTRIES: usize = 32;

#[derive(Debug)]
pub(crate) struct IpFilter {
    kind: String,
    networks: Vec<(IpAddr, u8)>,
}

impl Default for IpFilter {
    fn default() -> Self {
        Self {
            kind: "Deny".to_owned(),
            networks: Vec::new(),
        }
    }
}

pub(super) fn get(call: &Call<'_>) -> Element {
    let filter = &lock(&call.camera.device).ip_filter;
    let of_version = |name, v4| {
        let networks = filter.networks.iter();
        let networks = networks.filter(move |(address, _)| address.is_ipv4() == v4);
        networks.map(move |(address, length)| {
            element(TT, name)
                .leaf(TT, "Address", address)
                .leaf(TT, "PrefixLength", length)
        })
    };
    call.response("GetIPAddressFilterResponse").child(
        element(TDS, "IPAddressFilter")
            .leaf(TT, "Type", &filter.kind)
            .children(of_version("IPv4Address", true))
            .children(of_version("IPv6Address", false)),
    )
}

pub(super) fn set(call: &Call<'_>) -> Result<Element, Fault> {
    let filter = given(call)?;
    limit(filter.networks.len())?;
    lock(&call.camera.device).ip_filter = filter;
    Ok(call.response("SetIPAddressFilterResponse"))
}

pub(super) fn add(call: &Call<'_>) -> Result<Element, Fault> {
    let added = given(call)?;
    let filter = &mut lock(&call.camera.device).ip_filter;
    if filter.networks.is_empty() {
        filter.kind.clone_from(&added.kind);
    }
    same_kind(filter, &added)?;
    limit(filter.networks.len() + added.networks.len())?;
    for network in added.networks {
        if !filter.networks.contains(&network) {
            filter.networks.push(network);
        }
    }
    Ok(call.response("AddIPAddressFilterResponse"))
}

pub(super) fn remove(call: &Call<'_>) -> Result<Element, Fault> {
    let removed = given(call)?;
    let filter = &mut lock(&call.camera.device).ip_filter;
    same_kind(filter, &removed)?;
    for network in &removed.networks {
        if !filter.networks.contains(network) {
            let subcode = if network.0.is_ipv4() {
                "NoIPv4Address"
            } else {
                "NoIPv6Address"
            };
            let reason = format!("{} is not in the filter", network.0);
            return Err(Fault::invalid_value(subcode, reason));
        }
    }
    filter
        .networks
        .retain(|network| !removed.networks.contains(network));
    Ok(call.response("RemoveIPAddressFilterResponse"))
}

fn given(call: &Call<'_>) -> Result<IpFilter, Fault> {
    let filter = call.request.child("IPAddressFilter");
    let filter = filter.ok_or_else(|| Fault::missing("IPAddressFilter"))?;
    let kind = filter
        .text_of("Type")
        .ok_or_else(|| Fault::missing("Type"))?;
    if !["Allow", "Deny"].contains(&kind) {
        return Err(bad_value(format!("Type cannot be {kind}")));
    }
    let ipv4 = filter
        .all("IPv4Address")
        .map(|network| prefixed(network, true));
    let ipv6 = filter
        .all("IPv6Address")
        .map(|network| prefixed(network, false));
    Ok(IpFilter {
        kind: kind.to_owned(),
        networks: ipv4.chain(ipv6).collect::<Result<_, _>>()?,
    })
}

fn same_kind(filter: &IpFilter, given: &IpFilter) -> Result<(), Fault> {
    if filter.kind == given.kind {
        return Ok(());
    }
    Err(bad_value(format!("the filter in force is {}", filter.kind)))
}

fn limit(entries: usize) -> Result<(), Fault> {
    match entries {
        0..=MAX_ENTRIES => Ok(()),
        _ => Err(too_many("IPFilterListIsFull", "too many addresses")),
    }
}

//! From where a request comes: the connection, unless a proxy that the operator trusts says otherwise.
//!
//! Unlike the reference, headers that anybody can send are never believed by default: a forged address would end up
//! in session lists, rate limits and the audit log.

use std::net::IpAddr;

use http::HeaderMap;
use latchkey_api_types::session::EndUserIpInfo;
use latchkey_config::{ServerConfig, TrustedProxy};

/// The address of the client, if it can be known.
pub(crate) fn client_address(config: &ServerConfig, headers: &HeaderMap, peer: IpAddr) -> Option<IpAddr> {
    match config.trusted_proxy {
        TrustedProxy::None => Some(peer),
        TrustedProxy::XForwardedFor => forwarded(config, headers, peer),
        TrustedProxy::Cloudflare => address(headers.get("cf-connecting-ip")?.to_str().ok()?),
        TrustedProxy::Vercel => {
            address(headers.get("x-vercel-forwarded-for")?.to_str().ok()?.split(',').next()?)
        }
        TrustedProxy::Cloudrun => chain(headers).nth(1),
    }
}

/// The entries of all `X-Forwarded-For` headers, the last one first; ends at the first that is not an address.
fn chain(headers: &HeaderMap) -> impl Iterator<Item = IpAddr> + '_ {
    let lines = headers.get_all("x-forwarded-for").into_iter().rev();
    lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')).map_while(address)
}

fn address(text: &str) -> Option<IpAddr> {
    text.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn forwarded(config: &ServerConfig, headers: &HeaderMap, peer: IpAddr) -> Option<IpAddr> {
    let networks = &config.trusted_proxy_networks;
    if networks.is_empty() {
        return chain(headers).nth(usize::from(config.trusted_proxy_hops).saturating_sub(1));
    }
    let trusted = |address: &IpAddr| networks.iter().any(|network| network.contains(*address));
    if !trusted(&peer) {
        return Some(peer);
    }
    chain(headers).find(|address| !trusted(address))
}

/// What a session records about the end user (contract 03 section 8): nothing unless the caller claims to be a
/// browser, and geography only from the proxy that is trusted.
pub(crate) fn end_user(
    config: &ServerConfig,
    headers: &HeaderMap,
    peer: IpAddr,
    browser: bool,
) -> Option<EndUserIpInfo> {
    if !browser {
        return None;
    }
    let ip = client_address(config, headers, peer)?.to_string();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let number = |name: &str| text(name).and_then(|text| text.parse().ok()).filter(|n: &f64| n.is_finite());
    let mut info = EndUserIpInfo {
        ip,
        country_code: None,
        region_code: None,
        city_name: None,
        latitude: None,
        longitude: None,
        tz_identifier: None,
    };
    match config.trusted_proxy {
        TrustedProxy::Vercel => {
            info.country_code = text("x-vercel-ip-country");
            info.region_code = text("x-vercel-ip-country-region");
            info.city_name = text("x-vercel-ip-city");
            info.latitude = number("x-vercel-ip-latitude");
            info.longitude = number("x-vercel-ip-longitude");
            info.tz_identifier = text("x-vercel-ip-timezone");
        }
        TrustedProxy::Cloudflare => info.country_code = text("cf-ipcountry"),
        TrustedProxy::None | TrustedProxy::XForwardedFor | TrustedProxy::Cloudrun => {}
    }
    Some(info)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn seen(config: &ServerConfig, pairs: &[(&'static str, &'static str)]) -> Option<String> {
        client_address(config, &headers(pairs), PEER).map(|address| address.to_string())
    }

    #[test]
    fn nobody_is_believed_by_default() {
        let forged =
            [("x-forwarded-for", "1.2.3.4"), ("x-real-ip", "1.2.3.4"), ("cf-connecting-ip", "1.2.3.4")];
        assert_eq!(seen(&ServerConfig::default(), &forged).as_deref(), Some("10.0.0.1"));
    }

    #[test]
    fn a_client_cannot_forge_its_address_past_the_trusted_proxies() {
        let hops = ServerConfig {
            trusted_proxy: TrustedProxy::XForwardedFor,
            trusted_proxy_hops: 2,
            ..ServerConfig::default()
        };
        let chain = [("x-forwarded-for", "6.6.6.6, 1.2.3.4"), ("x-forwarded-for", "10.0.0.9")];
        assert_eq!(seen(&hops, &chain).as_deref(), Some("1.2.3.4"));
        assert_eq!(seen(&hops, &[("x-forwarded-for", "1.2.3.4, junk")]), None);

        let networks = ServerConfig { trusted_proxy_networks: vec!["10.0.0.0/8".parse().unwrap()], ..hops };
        let chain = [("x-forwarded-for", "6.6.6.6, ::ffff:1.2.3.4, 10.0.0.9")];
        assert_eq!(seen(&networks, &chain).as_deref(), Some("1.2.3.4"));
        let elsewhere = "8.8.8.8".parse().unwrap();
        assert_eq!(client_address(&networks, &headers(&chain), elsewhere), Some(elsewhere));
    }

    #[test]
    fn only_browsers_are_recorded() {
        let config = ServerConfig::default();
        assert_eq!(end_user(&config, &HeaderMap::new(), PEER, false), None);
        assert_eq!(end_user(&config, &HeaderMap::new(), PEER, true).unwrap().ip, "10.0.0.1");
    }
}

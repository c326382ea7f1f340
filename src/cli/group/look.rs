//! `p2pt group members` and `p2pt group info`: what is seen of a group.

use serde_json::Value;

use super::access::{Access, Need};
use super::place::Place;
use super::request::Request;
use super::told::with_fields;
use crate::cli::address::Stdin;
use crate::cli::call::Call;
use crate::cli::failure::Failure;
use crate::cli::net;
use crate::cli::output::Event;
use crate::cli::table::row::Json;
use crate::group::ReceiveMode;

/// Lists the members that are known.
///
/// # Errors
/// See the statuses of its row.
pub(crate) fn members(call: Call) -> Result<(), Failure> {
    let told = looked(&call, Request::Members)?;
    let empty = Vec::new();
    let members = told["members"].as_array().unwrap_or(&empty);
    if call.out.json() == Some(Json::Stdout) {
        return members.iter().try_for_each(|member| {
            let names = ["peer_id", "address", "self", "neighbor", "rtt_ms"];
            call.out.event(with_fields(Event::new("member"), member, &names))
        });
    }
    for member in members {
        let text = |name: &str| member[name].as_str().unwrap_or_default();
        let rtt = member["rtt_ms"].as_f64().map(|rtt| format!("{rtt:.1} ms"));
        let link = match (member["self"].as_bool(), member["neighbor"].as_bool()) {
            (Some(true), _) => "this member".to_owned(),
            (_, Some(true)) => format!("neighbour {:>9}", rtt.unwrap_or_default()),
            _ => "known".to_owned(),
        };
        let line = format!("{}  @{}…  {link}", text("peer_id"), &text("address").get(..8).unwrap_or_default());
        call.out.line(line.trim_end())?;
    }
    Ok(())
}

/// Tells the group in numbers.
///
/// # Errors
/// See the statuses of its row.
pub(crate) fn info(call: Call) -> Result<(), Failure> {
    let told = looked(&call, Request::Info)?;
    if call.out.json() == Some(Json::Stdout) {
        const NAMES: &[&str] = &[
            "group_id",
            "peer_id",
            "address",
            "estimated_member_count",
            "known_members",
            "neighbor_count",
            "wanted_neighbors",
            "full_mesh",
            "local_coverage_from",
            "local_coverage_to",
            "local_coverage",
            "posts_received",
            "posts_duplicate",
            "values_held",
            "posting_send_data_bytes_per_second",
            "posting_receive_data_bytes_per_second",
            "posting_send_control_bytes_per_second",
            "posting_receive_control_bytes_per_second",
            "routing_send_bytes_per_second",
            "routing_receive_bytes_per_second",
            "storage_send_bytes_per_second",
            "storage_receive_bytes_per_second",
        ];
        return call.out.event(with_fields(Event::new("group_info"), &told, NAMES));
    }
    lines(&told).into_iter().try_for_each(|(name, text)| call.out.line(format_args!("{name:<10}  {text}")))
}

fn lines(told: &Value) -> Vec<(&'static str, String)> {
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| told[name].as_u64().unwrap_or_default();
    let rate = |kind: &str| {
        let one = |way: &str| told[format!("{kind}_{way}_bytes_per_second")].as_f64().unwrap_or_default();
        let with = |way: &str| {
            if kind == "posting" { one(&format!("{way}_data")) + one(&format!("{way}_control")) } else { one(way) }
        };
        format!("{:>8} out  {:>8} in", per_second(with("send")), per_second(with("receive")))
    };
    let mesh = match told["full_mesh"].as_bool() {
        Some(true) => "a full mesh".to_owned(),
        _ => format!("of {} wanted", number("wanted_neighbors")),
    };
    let covered = told["local_coverage"].as_f64().map(|part| {
        format!(
            "{:.1} % of the ring, {}… to {}…",
            part * 100.0,
            short(&text("local_coverage_from")),
            short(&text("local_coverage_to"))
        )
    });
    vec![
        ("group", text("group_id")),
        (
            "members",
            format!(
                "about {}, {} of them known here",
                told["estimated_member_count"].as_f64().unwrap_or_default(),
                number("known_members")
            ),
        ),
        ("neighbours", format!("{}, {mesh}", number("neighbor_count"))),
        ("our peer", text("peer_id")),
        ("our place", format!("@{}", text("address"))),
        ("coverage", covered.unwrap_or_else(|| "all of the ring: nobody else is known".into())),
        (
            "posting",
            format!(
                "{}  {} posts received, {} copies more",
                rate("posting"),
                number("posts_received"),
                number("posts_duplicate")
            ),
        ),
        ("routing", rate("routing")),
        ("storage", format!("{}  {} values held", rate("storage"), number("values_held"))),
    ]
}

fn short(address: &str) -> &str {
    address.get(..8).unwrap_or_default()
}

fn per_second(rate: f64) -> String {
    format!("{}/s", crate::cli::units::show_size(rate as u64))
}

fn looked(call: &Call, request: Request) -> Result<Value, Failure> {
    let place = Place::of(call.text("GROUP").as_deref(), Stdin::Free)?;
    net::block_on(async {
        let access = Access::open(call, &place, Need::Sight, ReceiveMode::default()).await?;
        access
            .with(call, async |access| {
                access.look_around().await?;
                access.ask(request).await
            })
            .await
    })
}

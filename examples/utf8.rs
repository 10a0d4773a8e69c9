//! Serves metrics that are called as OpenTelemetry's conventions have it, with dots, and one with letters of another language.
//!
//! `cargo run --example utf8` says where, and runs until its standard input ends. Prometheus 3 asks for such names and gets
//! `http.server.requests`; who does not ask gets `http_server_requests`:
//! `curl -H 'Accept: text/plain; escaping=allow-utf-8' ADDRESS` shows the names as they are.

use std::{error::Error, io};

use manometer::{RegistryOptions, http::Server, model::Dialect};

fn main() -> Result<(), Box<dyn Error>> {
    let registry = RegistryOptions::new().dialect(Dialect::Utf8).build();
    let requests = registry.counter("http.server.requests").help("Requests, by method").labels(["http.request.method"]);
    let requests = requests.declare()?;
    requests.add(("GET",), 3)?;
    requests.add(("PUT",), 4)?;
    let duration = registry.histogram("http.server.duration").unit("seconds").help("Time to answer");
    duration.buckets([0.1, 1.0]).single()?.observe(0.5);
    registry.gauge("größe der \"Datei\"").unit("bytes").help("Size").single()?.set(1.5);
    registry.state_set("power.phase").help("Phase").states(["on", "off"]).single()?.enter("on");
    registry.info("target.build").help("Build").text([("service.version", "1.0")])?;

    let server = Server::builder(&registry).address(([127, 0, 0, 1], 0)).start()?;
    println!("metrics: http://{}/metrics", server.local_addrs()[0]);
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

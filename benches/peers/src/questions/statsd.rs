//! How many lines a second reach the socket: 10 000 counters, incremented once each, and what follows from that.
//!
//! Nobody reads the socket at the other end; the system throws away what it cannot take, at the same cost for all.

use std::{
    hint::black_box,
    net::UdpSocket,
    time::{Duration, Instant},
};

use cadence::{BufferedUdpMetricSink, Counted, StatsdClient};
use manometer::{
    RegistryOptions,
    backend::{Provider, StatsdOptions},
};

use crate::{
    clock::thread_cpu_ns,
    turns::{Measured, Turn},
};

/// Lines of a round.
const LINES: usize = 10_000;

/// Bytes that a datagram holds, for all.
const PAYLOAD: usize = 1432;

fn told(seconds: f64, nanos: u64) -> Measured {
    vec![("million lines a second", LINES as f64 / seconds / 1e6), ("cpu ns a line", nanos as f64 / LINES as f64)]
}

fn timed(act: impl FnOnce()) -> Measured {
    let (before, begun) = (thread_cpu_ns(), Instant::now());
    act();
    told(begun.elapsed().as_secs_f64(), thread_cpu_ns() - before)
}

/// cadence, buffered; manometer's provider; and a socket that is given datagrams of the same size, as fast as it takes them.
pub fn turns() -> Vec<Turn<'static>> {
    vec![
        Turn::new("cadence", 1, cadence()),
        Turn::new("manometer", 1, manometer()),
        Turn::new("floor: sending alone", 1, floor()),
    ]
}

fn server() -> (UdpSocket, std::net::SocketAddr) {
    let server = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
    let address = server.local_addr().expect("it is bound");
    (server, address)
}

fn cadence() -> impl FnMut() -> Measured {
    let (server, address) = server();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
    socket.set_nonblocking(true).expect("as its documentation advises");
    let sink = BufferedUdpMetricSink::with_capacity(address, socket, PAYLOAD).expect("the address is one");
    let client = StatsdClient::from_sink("shop", sink);
    let names: Vec<String> = (0..LINES).map(|at| format!("requests.tenant{at:06}")).collect();
    move || {
        let _open = &server;
        timed(|| {
            for name in &names {
                let _ = black_box(client.count(name, 1));
            }
            let _ = client.flush();
        })
    }
}

fn manometer() -> impl FnMut() -> Measured {
    let (server, address) = server();
    let options = StatsdOptions::new().server("127.0.0.1").port(address.port()).prefix("shop").max_payload(PAYLOAD);
    // It is to flush when it is told to.
    let statsd = options.flush_interval(Duration::from_secs(3600)).start(RegistryOptions::new()).expect("it can start");
    let family = statsd.registry().counter("requests").labels(["tenant"]).declare().expect("nothing is wrong with it");
    let counter = |at| family.with_labels((format!("tenant{at:06}"),)).expect("one value");
    let counters: Vec<_> = (0..LINES).map(counter).collect();
    statsd.flush().expect("loopback takes datagrams");
    move || {
        let _open = &server;
        timed(|| {
            counters.iter().for_each(manometer::Counter::inc);
            statsd.flush().expect("loopback takes datagrams");
        })
    }
}

fn floor() -> impl FnMut() -> Measured {
    let (server, address) = server();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
    socket.connect(address).expect("it is bound");
    let line = "shop.requests.tenant000000:1|c\n".len();
    let datagram = [b'x'; PAYLOAD];
    move || {
        let _open = &server;
        timed(|| {
            for _ in 0..LINES.div_ceil(PAYLOAD / line) {
                let _ = socket.send(&datagram);
            }
        })
    }
}

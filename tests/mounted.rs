//! The door in somebody else's server: as a tower service in hyper, and as a plain function.

#![cfg(feature = "http")]

use std::{
    convert::Infallible,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use manometer::{
    Registry,
    http::{Door, Options, Peer},
};
use tower_service::Service;

/// Who is said to be at the other end, and how it is said.
#[derive(Clone, Copy)]
enum Said {
    PerConnection(Peer),
    PerRequest(Peer),
    Nothing,
}

/// A server that takes one connection and hands its requests to `door`.
fn host(door: Door, said: Said) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let serve = async move {
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime");
        let (stream, _) = listener.accept().await.expect("a client");
        let door = match said {
            Said::PerConnection(peer) => door.with_peer(peer),
            Said::PerRequest(_) | Said::Nothing => door,
        };
        let service = service_fn(move |mut request: Request<Incoming>| {
            if let Said::PerRequest(peer) = said {
                request.extensions_mut().insert(peer);
            }
            door.clone().call(request)
        });
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.expect("a whole conversation");
    };
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        runtime.block_on(serve);
    });
    address
}

fn get(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).expect("a server");
    write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").expect("a server that reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}

fn door() -> Door {
    let registry = Registry::new();
    registry.counter("hits").single().expect("a free name").add(3);
    Door::new(&registry, Options::new())
}

#[test]
fn a_tower_service_answers_in_another_server() {
    let local = Peer::Address([127, 0, 0, 1].into());
    for said in [Said::PerConnection(local), Said::PerRequest(local), Said::PerConnection(Peer::Unix)] {
        let answer = get(host(door(), said));
        assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n# TYPE hits_total counter\nhits_total 3\n"), "{answer}");
    }
}

#[test]
fn a_tower_service_lets_nobody_in_whom_nobody_names() {
    let door = door();
    assert!(get(host(door.clone(), Said::Nothing)).starts_with("HTTP/1.0 403 "));
    let stranger = Peer::Address([203, 0, 113, 9].into());
    assert!(get(host(door.clone(), Said::PerConnection(stranger))).starts_with("HTTP/1.0 403 "));
    assert!(get(host(door.clone(), Said::PerRequest(stranger))).starts_with("HTTP/1.0 403 "));
    assert_eq!(door.denied().total(), 3);
}

#[test]
fn a_tower_service_is_always_ready_and_never_fails() {
    let mut service = door();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let ready = Service::<Request<()>>::poll_ready(&mut service, &mut context);
    assert!(matches!(ready, std::task::Poll::Ready(Ok::<(), Infallible>(()))));
}

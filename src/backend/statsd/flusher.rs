//! One flush: what changed is read, written and sent, family by family.

use std::{collections::HashSet, hash::BuildHasher};

use super::{
    book::{Book, Newcomer},
    burst::Burst,
    lines::{Datagram, Lines, Note, Source},
    link::{Link, Sent},
    names::Naming,
    options::{HistogramMode, StatsdOptions, Transport},
    owed::Owed,
    samples::{Queue, Taken},
};
use crate::{
    backend::PushError,
    family::Core,
    registry::Registry,
    sync::{Arc, HashSeed},
};

/// How many bytes of lines are written before what is whole of them is sent.
const PIECE_BYTES: usize = 64 * 1024;

/// The largest datagram there is.
const LARGEST_DATAGRAM: usize = 65_507;

/// All that one flush after the other goes by.
#[derive(Debug)]
pub(super) struct Flusher {
    registry: Registry,
    naming: Naming,
    histograms: HistogramMode,
    sample_rate: f64,
    max_payload: usize,
    batch: bool,
    stream: bool,
    link: Link,
    /// The families of the registry in the order of raw names, as of the last reading.
    books: Vec<Book>,
    /// Families that are no longer in it, until the registry says what their series were given last.
    gone: Vec<Book>,
    claims: Claims,
    owed: Owed,
    queue: Option<Arc<Queue>>,
    taken: Taken,
    lines: Lines,
    burst: Burst,
    newcomers: Vec<(u32, Newcomer)>,
    few: Vec<Newcomer>,
    counts: Counts,
}

/// What was sent and what was not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) datagrams: u64,
    pub(super) errors: u64,
    pub(super) dropped: u64,
    /// Samples taken from the queue and not sent yet.
    pub(super) taken: usize,
}

/// Which names on the wire are in use.
///
/// Names are kept as 128 bits of hash, seeded in each process: with a million of them, one pair in 10^26 processes would be taken
/// for the same.
#[derive(Debug, Default)]
struct Claims {
    names: HashSet<u128>,
    seeds: [HashSeed; 2],
}

impl Claims {
    fn key(&self, name: &str) -> u128 {
        let [high, low] = [&self.seeds[0], &self.seeds[1]].map(|seed| u128::from(seed.hash_one(name)));
        (high << 64) | low
    }

    fn are_free(&self, names: &[String]) -> bool {
        !names.iter().any(|name| self.names.contains(&self.key(name)))
    }

    fn claim(&mut self, names: &[String]) {
        for name in names {
            let key = self.key(name);
            self.names.insert(key);
        }
    }

    fn free(&mut self, name: &str) {
        let key = self.key(name);
        self.names.remove(&key);
    }
}

impl Flusher {
    pub(super) fn new(options: &StatsdOptions, registry: Registry, naming: Naming, queue: Option<Arc<Queue>>) -> Self {
        Self {
            registry,
            naming,
            histograms: options.histograms,
            sample_rate: options.sample_rate,
            max_payload: if options.transport == Transport::Tcp { PIECE_BYTES } else { options.max_payload },
            batch: options.batch,
            stream: options.transport == Transport::Tcp,
            link: Link::new(options),
            books: Vec::new(),
            gone: Vec::new(),
            claims: Claims::default(),
            owed: Owed::default(),
            queue,
            taken: Taken::default(),
            lines: Lines::default(),
            burst: Burst::default(),
            newcomers: Vec::new(),
            few: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Looks for the server, so that a log says early if there is none.
    pub(super) fn greet(&mut self) {
        let _ = self.link.open();
    }

    /// Lets the next flush try the server, however often it has failed.
    pub(super) fn wait_no_longer(&mut self) {
        self.link.wait_no_longer();
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Sends what changed since it was last sent.
    pub(super) fn flush(&mut self) -> Result<(), PushError> {
        // What nobody takes need not be read: it adds up where it is.
        self.link.check()?;
        self.read();
        self.lines.clear();
        let sent = self.write();
        self.owed.forget_sent();
        self.taken.forget_sent();
        self.counts.taken = self.taken.len();
        sent
    }

    /// Reads every family.
    fn read(&mut self) {
        let closed = self.registry.take_closed();
        self.list();
        let histograms = self.histograms;
        for core in closed {
            if !self.gone.iter().any(|book| Arc::ptr_eq(&book.core, &core)) {
                self.gone.push(Book::new(core, histograms));
            }
        }
        let Self { books, gone, claims, owed, naming, newcomers, few, .. } = self;
        newcomers.clear();
        // Those that are gone first: their names are free then.
        for book in gone.iter_mut() {
            few.clear();
            book.read(naming, few, owed, |name| claims.free(name));
        }
        for (at, book) in books.iter_mut().enumerate() {
            few.clear();
            book.read(naming, few, owed, |name| claims.free(name));
            newcomers.extend(few.iter().map(|newcomer| (at as u32, *newcomer)));
        }
        // What goes now was read once more; what it was given last the next reading hears.
        self.registry.expire();
        self.claim();
        let Self { books, gone, claims, owed, naming, counts, .. } = self;
        for book in gone.iter_mut().chain(books.iter_mut()) {
            counts.dropped += book.settle_unseen(naming, owed, |names| claims.are_free(names));
        }
        gone.retain(|book| book.core.is_live() || !book.is_settled());
        counts.dropped += owed.merge();
        if let Some(queue) = &self.queue {
            let blocked: Vec<&Book> = books.iter().filter(|book| book.has_blocked()).collect();
            self.taken.take(queue, |sample| !blocked.iter().any(|book| book.is_blocked(&sample.tuple)));
        }
    }

    /// Makes the books those of the families that the registry has.
    fn list(&mut self) {
        let Self { registry, books, gone, histograms, .. } = self;
        let raw = |core: &Core| core.shared().metadata.name().raw().to_owned();
        let mut at = 0;
        registry.for_each_raw(|core| {
            while books.get(at).is_some_and(|book| !Arc::ptr_eq(&book.core, core) && raw(&book.core) <= raw(core)) {
                gone.push(books.remove(at));
            }
            if !books.get(at).is_some_and(|book| Arc::ptr_eq(&book.core, core)) {
                books.insert(at, Book::new(core.clone(), *histograms));
            }
            at += 1;
        });
        gone.extend(books.drain(at..));
    }

    /// Gives newcomers their names, in the order of their birth; who finds its name taken is left out.
    fn claim(&mut self) {
        let Self { books, claims, newcomers, counts, .. } = self;
        newcomers.sort_unstable_by_key(|(_, newcomer)| newcomer.birth);
        for (at, newcomer) in newcomers.drain(..) {
            let book = &mut books[at as usize];
            let names = book.names_of(newcomer.row);
            if claims.are_free(&names) {
                claims.claim(&names);
            } else {
                book.block(newcomer.row);
                counts.dropped += 1;
                let family = book.core.shared().metadata.name().raw();
                log::warn!(
                    "statsd: a series of {family:?} is not sent, since another one has its name, {:?}",
                    names[0]
                );
            }
        }
    }

    /// Writes and sends whatever is due, up to the first failure.
    fn write(&mut self) -> Result<(), PushError> {
        self.owed.write(&mut self.lines);
        for book in 0..self.books.len() {
            for row in 0..self.books[book].len() {
                self.counts.dropped += self.books[book].write(book as u32, row, &mut self.lines);
                if self.lines.len() >= PIECE_BYTES {
                    self.send(false)?;
                }
            }
        }
        for row in 0..self.taken.len() {
            self.taken.write(row, &self.naming, self.histograms, self.sample_rate, &mut self.lines);
            if self.lines.len() >= PIECE_BYTES {
                self.send(false)?;
            }
        }
        self.send(true)
    }

    /// Sends the lines that fill datagrams, or `all` of them.
    fn send(&mut self, all: bool) -> Result<(), PushError> {
        let Self { lines, burst, link, counts, books, owed, taken, .. } = self;
        let mut note = |note: Note| match note.from {
            Source::Book(book) => books[book as usize].note(note),
            Source::Owed => owed.note(note),
            Source::Sample => taken.note(note),
        };
        loop {
            let bursts = link.takes_bursts() && burst.fill(lines, self.max_payload, all);
            let next = match bursts {
                true => {
                    Some(Datagram { text: &burst.bytes, stream: &[], units: burst.units, datagrams: burst.datagrams })
                }
                false => lines.next(self.max_payload, self.batch, all),
            };
            let outcome = match next {
                Some(next) if self.stream || next.text.len() <= LARGEST_DATAGRAM => {
                    if let Err(error) = link.open() {
                        counts.errors += 1;
                        return Err(error);
                    }
                    match bursts {
                        true => link.send_burst(next.text, self.max_payload).map(Some),
                        false => link.send(if self.stream { next.stream } else { next.text }).map(Some),
                    }
                }
                // One that is too long would never get through, and nothing behind it either.
                _ if lines.are_in_doubt() => link.ask().map(|()| None),
                _ => Ok(None),
            };
            let handed = next.map(|next| (next.units, next.datagrams));
            match outcome {
                // Neither they nor what is in doubt were judged by that.
                Ok(Some(Sent::Refused)) => {}
                Ok(sent) => {
                    // Whatever was taken before has got through.
                    counts.datagrams += lines.settle(&mut note);
                    let Some((units, datagrams)) = handed else {
                        lines.compact();
                        return Ok(());
                    };
                    lines.hand_over(units, datagrams);
                    match sent {
                        Some(Sent::InDoubt | Sent::Refused) => {}
                        Some(Sent::Whole) => counts.datagrams += lines.settle(&mut note),
                        None => {
                            counts.dropped += units as u64;
                            lines.settle(&mut note);
                        }
                    }
                }
                Err(unsent) => {
                    counts.errors += 1;
                    lines.take_back();
                    // Of a stream, whole lines may have gone.
                    lines.hand_over(lines.units_in(unsent.taken), 0);
                    lines.settle(&mut note);
                    if !link.has_another() {
                        return Err(link.fail(&unsent.error, true));
                    }
                }
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{net::UdpSocket, time::Duration};

    use crate::{
        backend::{Provider, StatsdOptions},
        registry::RegistryOptions,
    };

    #[test]
    fn std_13_a_burst_that_the_system_refuses_goes_datagram_by_datagram() {
        let server = UdpSocket::bind(("127.0.0.1", 0)).expect("loopback has a port");
        server.set_nonblocking(true).expect("a socket can be asked");
        let options = StatsdOptions::new().server("127.0.0.1").port(server.local_addr().expect("bound").port());
        let options = options.prefix("").max_payload(64).bursts(true).flush_interval(Duration::from_secs(3600));
        let statsd = options.start(RegistryOptions::new()).expect("good options");
        let requests = statsd.registry().counter("requests").labels(["path"]).declare().expect("declared");
        let fill = || (100..900).for_each(|path| requests.inc((path,)).expect("one label"));
        let arrived = || {
            let (mut lines, mut room) = (0, [0; 2048]);
            while let Ok(bytes) = server.recv(&mut room) {
                let text = std::str::from_utf8(&room[..bytes]).expect("text");
                assert!(text.len() <= 64 && text.split('\n').all(|line| line.ends_with(":1|c")), "{text:?}");
                lines += text.split('\n').count();
            }
            lines
        };
        // More than the system parts.
        statsd.shared.flusher.lock().burst.most = 1000;
        for _ in 0..2 {
            // Three lines of 16 bytes and their line feeds fill a datagram. Not all have room in the socket that waits.
            fill();
            statsd.flush().expect("a server listens");
            assert!(!statsd.shared.flusher.lock().link.takes_bursts());
            assert!(arrived() > 0);
        }
        let report = statsd.push_report().expect("it pushes");
        assert_eq!((report.errors, report.dropped, report.datagrams), (0, 0, 2 * 267));
    }
}

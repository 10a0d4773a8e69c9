use manometer::{Info, Metrics};

#[derive(Metrics)]
struct Program {
    #[metric(text = [("version", "1"), ("_commit", "c0ffee")])]
    build: Info,
    #[metric(text = [("version", "1"), ("version", "2")])]
    other: Info,
}

fn main() {}

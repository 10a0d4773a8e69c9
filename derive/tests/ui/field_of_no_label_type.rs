use manometer::LabelSet;

struct Path;

#[derive(LabelSet)]
struct Request {
    path: Path,
}

fn main() {}

use manometer::LabelSet;

#[derive(LabelSet)]
struct Request<'a> {
    method: &'a str,
    #[label("method")]
    verb: &'a str,
}

fn main() {}

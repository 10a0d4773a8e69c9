use manometer::LabelSet;

#[derive(LabelSet)]
struct Request<'a> {
    _method: &'a str,
    #[label("status-code")]
    status: u16,
}

fn main() {}

use manometer::LabelSet;

#[derive(LabelSet)]
struct Request<'a>(&'a str);

fn main() {}

use manometer::LabelEnum;

#[derive(LabelEnum)]
enum Outcome {}

fn main() {}

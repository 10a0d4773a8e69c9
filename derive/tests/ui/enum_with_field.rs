use manometer::LabelEnum;

#[derive(LabelEnum)]
enum Outcome {
    Done,
    Failed(u16),
}

fn main() {}

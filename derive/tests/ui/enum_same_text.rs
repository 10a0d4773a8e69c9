use manometer::LabelEnum;

#[derive(LabelEnum)]
enum Outcome {
    TimedOut,
    #[label("timed_out")]
    Late,
}

fn main() {}

use manometer::{Family, Histogram, LabelSet, Metrics, Summary, TypedFamily};

#[derive(LabelSet)]
struct Bucket {
    le: bool,
}

#[derive(Metrics)]
struct Http {
    #[metric(labels("method", "le"), buckets = [0.1])]
    latency: Family<Histogram>,
    #[metric(labels("quantile"))]
    size: Family<Summary>,
    #[metric(buckets = [0.1])]
    wait: TypedFamily<Histogram, Bucket>,
}

fn main() {}

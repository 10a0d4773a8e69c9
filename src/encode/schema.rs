//! The field numbers of Prometheus's protobuf messages, `io.prometheus.client` in `metrics.proto` of the Prometheus client model.

pub(super) mod family {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const HELP: u32 = 2;
    pub(crate) const TYPE: u32 = 3;
    pub(crate) const METRIC: u32 = 4;
    pub(crate) const UNIT: u32 = 5;
}

/// The words of the enumeration of types.
pub(super) mod family_type {
    pub(crate) const COUNTER: u64 = 0;
    pub(crate) const GAUGE: u64 = 1;
    pub(crate) const SUMMARY: u64 = 2;
    pub(crate) const UNTYPED: u64 = 3;
    pub(crate) const HISTOGRAM: u64 = 4;
    pub(crate) const GAUGE_HISTOGRAM: u64 = 5;
}

pub(super) mod metric {
    pub(crate) const LABEL: u32 = 1;
    pub(crate) const GAUGE: u32 = 2;
    pub(crate) const COUNTER: u32 = 3;
    pub(crate) const SUMMARY: u32 = 4;
    pub(crate) const UNTYPED: u32 = 5;
    pub(crate) const HISTOGRAM: u32 = 7;
}

pub(super) mod label {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const VALUE: u32 = 2;
}

/// Gauges and untyped metrics.
pub(super) mod gauge {
    pub(crate) const VALUE: u32 = 1;
}

pub(super) mod counter {
    pub(crate) const VALUE: u32 = 1;
    pub(crate) const EXEMPLAR: u32 = 2;
    pub(crate) const CREATED: u32 = 3;
}

pub(super) mod summary {
    pub(crate) const COUNT: u32 = 1;
    pub(crate) const SUM: u32 = 2;
    pub(crate) const QUANTILE: u32 = 3;
    pub(crate) const CREATED: u32 = 4;
}

pub(super) mod quantile {
    pub(crate) const QUANTILE: u32 = 1;
    pub(crate) const VALUE: u32 = 2;
}

pub(super) mod histogram {
    pub(crate) const COUNT: u32 = 1;
    pub(crate) const SUM: u32 = 2;
    pub(crate) const BUCKET: u32 = 3;
    pub(crate) const SCHEMA: u32 = 5;
    pub(crate) const ZERO_THRESHOLD: u32 = 6;
    pub(crate) const ZERO_COUNT: u32 = 7;
    pub(crate) const NEGATIVE_SPAN: u32 = 9;
    pub(crate) const NEGATIVE_DELTA: u32 = 10;
    pub(crate) const POSITIVE_SPAN: u32 = 12;
    pub(crate) const POSITIVE_DELTA: u32 = 13;
    pub(crate) const CREATED: u32 = 15;
    /// Those of a native histogram, which lie in no bucket.
    pub(crate) const EXEMPLAR: u32 = 16;
}

pub(super) mod bucket {
    pub(crate) const CUMULATIVE_COUNT: u32 = 1;
    pub(crate) const UPPER_BOUND: u32 = 2;
    pub(crate) const EXEMPLAR: u32 = 3;
}

/// Buckets of a native histogram that follow each other without a gap.
pub(super) mod span {
    pub(crate) const OFFSET: u32 = 1;
    pub(crate) const LENGTH: u32 = 2;
}

pub(super) mod exemplar {
    pub(crate) const LABEL: u32 = 1;
    pub(crate) const VALUE: u32 = 2;
    pub(crate) const TIMESTAMP: u32 = 3;
}

/// `google.protobuf.Timestamp`.
pub(super) mod timestamp {
    pub(crate) const SECONDS: u32 = 1;
    pub(crate) const NANOS: u32 = 2;
}

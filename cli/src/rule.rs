//! The rules that a page is judged by: one row each, and what a scraper does with a page that breaks it.
//!
//! The ids are for people's configuration and scripts: they never change their meaning. `checklist` is the row of
//! `docs/openmetrics.md` that a rule comes from.

use serde::{Serialize, Serializer};

/// How much a rule binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// MUST: a page that breaks it is defective.
    Error,
    /// SHOULD: a page that breaks it is valid, and could be better.
    Advice,
}

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What it is called.
    pub id: &'static str,
    /// How much it binds.
    pub level: Level,
    /// The rows of the checklist.
    pub checklist: &'static str,
    /// The document and its section.
    pub section: &'static str,
    /// What a scraper does with a page that breaks it.
    pub scraper: &'static str,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

/// The whole page is lost.
const DROPS: &str = "Prometheus drops the whole page";
/// Both documents are kept apart here, so that each rule names a section that can be looked up.
const BYTES: &str = "OpenMetrics 1.0, Text Format, Overall Structure";
const ABNF: &str = "OpenMetrics 1.0, Text Format, ABNF";
const ESCAPING: &str = "OpenMetrics 1.0, Text Format, Escaping";
const NUMBERS: &str = "OpenMetrics 1.0, Text Format, Numbers";
const TIMES: &str = "OpenMetrics 1.0, Data Model, Timestamps";
const STAMPS: &str = "OpenMetrics 1.0, Text Format, Timestamps";
const FAMILY: &str = "OpenMetrics 1.0, Data Model, MetricFamily";
const FAMILY_TEXT: &str = "OpenMetrics 1.0, Text Format, MetricFamily";
const LABELS: &str = "OpenMetrics 1.0, Data Model, Label and LabelSet";
const METRIC: &str = "OpenMetrics 1.0, Data Model, Metric and MetricPoint";
const COUNTER: &str = "OpenMetrics 1.0, Counter";
const HISTOGRAM: &str = "OpenMetrics 1.0, Histogram";
const SUMMARY: &str = "OpenMetrics 1.0, Summary";
const EXEMPLAR: &str = "OpenMetrics 1.0, Data Model, Exemplars";
const TEXT: &str = "Prometheus text format 0.0.4";
const NEGOTIATION: &str = "Prometheus content negotiation, Content-Type Response";

macro_rules! rules {
    ($($name:ident $id:literal $level:ident $checklist:literal $section:expr, $scraper:expr;)*) => {
        $(pub const $name: Rule =
            Rule { id: $id, level: Level::$level, checklist: $checklist, section: $section, scraper: $scraper };)*

        /// Every rule, in the order of the checklist.
        pub const ALL: &[Rule] = &[$($name),*];
    };
}

rules! {
    // Transport.
    CONTENT_TYPE_MISSING "content-type-missing" Error "T3 T5" NEGOTIATION, "Prometheus 3 fails the scrape; Prometheus 2 reads the page as text";
    CONTENT_TYPE_UNKNOWN "content-type-unknown" Error "T3 T5" NEGOTIATION, "Prometheus 3 fails the scrape; Prometheus 2 reads the page as text";
    CONTENT_TYPE_VERSION "content-type-version" Error "T3 T4" NEGOTIATION, "a scraper that knows no such version may refuse the page";
    CONTENT_TYPE_CHARSET "content-type-charset" Advice "T3" NEGOTIATION, "a browser may show other characters; scrapers read UTF-8 anyway";
    CONTENT_TYPE_ESCAPING "content-type-escaping" Error "T3 T16" NEGOTIATION, "Prometheus 3 reads it; one that takes no names in quotes drops the whole page";

    // Bytes and grammar.
    UTF8_INVALID "utf8-invalid" Error "G1" BYTES, DROPS;
    BYTE_ORDER_MARK "byte-order-mark" Error "G1" BYTES, DROPS;
    CARRIAGE_RETURN "carriage-return" Error "G2" BYTES, DROPS;
    EOF_MISSING "eof-missing" Error "G3" BYTES, "Prometheus drops the whole page, since it may have been cut off";
    EOF_FOLLOWED "eof-followed" Error "G3" BYTES, DROPS;
    EOF_UNENDED "eof-unended" Advice "G3" BYTES, "Prometheus reads it; other parsers may not";
    LINE_UNENDED "line-unended" Error "P2" TEXT, "Prometheus reads it; parsers of the text format (promtool, pushgateway) reject the page";
    LINE_BLANK "line-blank" Error "G4" ABNF, DROPS;
    COMMENT_UNKNOWN "comment-unknown" Error "G4" ABNF, DROPS;
    SPACE_SURPLUS "space-surplus" Error "G5" ABNF, DROPS;
    NAME_INVALID "name-invalid" Error "G6" ABNF, DROPS;
    UNIT_INVALID "unit-invalid" Error "G6" ABNF, DROPS;
    LABEL_NAME_INVALID "label-name-invalid" Error "G7" ABNF, DROPS;
    LABEL_COMMA "label-comma" Error "G8" ABNF, "Prometheus reads it; strict parsers reject the page";
    LABELS_MALFORMED "labels-malformed" Error "G8" ABNF, DROPS;
    LABEL_UNQUOTED "label-unquoted" Error "G8" ABNF, DROPS;
    QUOTE_UNESCAPED "quote-unescaped" Error "G9" ESCAPING, DROPS;
    QUOTE_UNCLOSED "quote-unclosed" Error "G9" ESCAPING, DROPS;
    ESCAPE_UNDEFINED "escape-undefined" Advice "G9" ESCAPING, "the backslash stays in the value";
    HELP_QUOTE "help-quote" Error "G10" ABNF, "Prometheus reads it; strict parsers reject the page";
    VALUE_MISSING "value-missing" Error "G11" ABNF, DROPS;
    NUMBER_MALFORMED "number-malformed" Error "G11" NUMBERS, DROPS;
    NUMBER_RANGE "number-range" Error "G11" NUMBERS, DROPS;
    NUMBER_SPELLING "number-spelling" Advice "G11" NUMBERS, "Prometheus reads it; parsers in other languages may not";
    TIMESTAMP_MALFORMED "timestamp-malformed" Error "G13 P5" STAMPS, DROPS;
    TIMESTAMP_NOT_FINITE "timestamp-not-finite" Error "G13" TIMES, DROPS;
    TIMESTAMP_EXPONENT "timestamp-exponent" Advice "G13" STAMPS, "read, with the digits that the exponent form has kept";
    TIMESTAMP_SCALE "timestamp-scale" Error "G13 P5" TIMES, "the sample lies years away from now and is dropped as out of bounds";
    LINE_TRAILING "line-trailing" Error "G5" ABNF, DROPS;
    TYPE_UNKNOWN "type-unknown" Error "G14" ABNF, DROPS;
    METADATA_TRUNCATED "metadata-truncated" Error "G15" ABNF, DROPS;

    // Families.
    FAMILY_SPLIT "family-split" Error "F1" FAMILY_TEXT, "Prometheus stores the samples; parsers that read by family reject the page";
    METADATA_LATE "metadata-late" Error "F2" FAMILY_TEXT, "the samples above are stored without type; strict parsers reject the page";
    METADATA_REPEATED "metadata-repeated" Error "F2" FAMILY_TEXT, "Prometheus keeps the last one; strict parsers reject the page";
    METADATA_ORDER "metadata-order" Advice "F2b" FAMILY_TEXT, "read all the same";
    NAME_CLASH "name-clash" Error "F3" FAMILY, "series of two families end up under one name; strict parsers reject the page";
    UNIT_SUFFIX "unit-suffix" Error "F4" FAMILY, DROPS;
    UNIT_FORBIDDEN "unit-forbidden" Error "F5" "OpenMetrics 1.0, Info and StateSet", "Prometheus reads it; strict parsers reject the page";
    HELP_MISSING "help-missing" Advice "F6" FAMILY, "nobody can look up what the numbers mean";
    FAMILY_UNDERSCORE "family-underscore" Advice "F7" FAMILY, "may clash with what a later version of the standard reserves";
    FAMILY_COLON "family-colon" Advice "F7" FAMILY, "looks like the result of a recording rule";
    LABEL_UNDERSCORE "label-underscore" Error "F8" LABELS, "labels that begin with two underscores are lost in relabelling";
    NAME_SUFFIX "name-suffix" Advice "F9" FAMILY, "may clash with the samples of another family";
    TYPE_MISSING "type-missing" Advice "F13" FAMILY_TEXT, "stored with the type unknown";
    UNIT_MISSING "unit-missing" Advice "F14" FAMILY_TEXT, "stored without a unit";

    // Labels, metrics and points.
    LABEL_REPEATED "label-repeated" Error "L1" LABELS, DROPS;
    SERIES_REPEATED "series-repeated" Error "L2" METRIC, "one of the samples is stored, the others are dropped";
    LABEL_KEYS_VARY "label-keys-vary" Advice "L3" METRIC, "stored; aggregations over the missing label lump series together";
    LABEL_EMPTY "label-empty" Advice "L4" LABELS, "stored as if the label were not there";
    METRIC_SPLIT "metric-split" Error "L6" FAMILY_TEXT, "Prometheus stores the samples; parsers that read by metric reject the page";
    TIMESTAMP_ORDER "timestamp-order" Error "L7" METRIC, "the older samples are dropped as out of order";
    TIMESTAMP_MIXED "timestamp-mixed" Error "L8" METRIC, "stored at different times; strict parsers reject the page";

    // Types.
    TOTAL_MISSING "total-missing" Error "C1" COUNTER, "stored without its type; strict parsers reject the page";
    TOTAL_NAMED "total-named" Error "C1" COUNTER, "the type is not found for the samples; strict parsers reject the page";
    TOTAL_ABSENT_TEXT "total-absent-text" Advice "P11" "Prometheus documentation, Metric and label naming", "renamed by a scraper that asks for OpenMetrics";
    COUNTER_VALUE "counter-value" Error "C2" COUNTER, "stored; rate() takes it for a reset or yields NaN";
    CREATED_VALUE "created-value" Error "C4" COUNTER, "a wrong start time: rates over the first interval are wrong";
    SAMPLE_SUFFIX "sample-suffix" Error "T-SUF" "OpenMetrics 1.0, Text Format, per type", "stored without its type; strict parsers reject the page";
    STATESET_VALUE "stateset-value" Error "S3" "OpenMetrics 1.0, StateSet", "stored; queries for the active state go wrong";
    STATESET_LABEL "stateset-label" Error "S2" "OpenMetrics 1.0, StateSet", "stored; nobody can tell which state it is";
    INFO_VALUE "info-value" Error "I1" "OpenMetrics 1.0, Info", "stored; joins with it scale the other side";
    BUCKET_INFINITY "bucket-infinity" Error "H1 P6" HISTOGRAM, "stored; histogram_quantile() yields NaN";
    BUCKET_ORDER "bucket-order" Error "H2" HISTOGRAM, "Prometheus stores it; strict parsers reject the page";
    BUCKET_CUMULATIVE "bucket-cumulative" Error "H2" HISTOGRAM, "stored; histogram_quantile() guesses";
    BUCKET_REPEATED "bucket-repeated" Error "H3" HISTOGRAM, "Prometheus 3 makes one series of them and drops a sample";
    BUCKET_THRESHOLD "bucket-threshold" Error "H3" HISTOGRAM, "stored; histogram_quantile() leaves the bucket out";
    COUNT_OR_SUM_ALONE "count-or-sum-alone" Error "H4" HISTOGRAM, "stored; averages cannot be had";
    COUNT_DIFFERS "count-differs" Error "H5 P6" HISTOGRAM, "stored; shares and averages contradict one another";
    COUNT_FRACTION "count-fraction" Error "H6" HISTOGRAM, "Prometheus stores it; strict parsers reject the page";
    HISTOGRAM_VALUE "histogram-value" Error "H7" HISTOGRAM, "stored; rate() takes it for a reset or yields NaN";
    SUM_OF_NEGATIVES "sum-of-negatives" Error "H8" HISTOGRAM, "stored; each time the sum shrinks, rate() sees a reset";
    LABEL_RESERVED "label-reserved" Error "H9 Q4" HISTOGRAM, "stored; taken for a bucket or a quantile";
    THRESHOLD_INFINITY "threshold-infinity" Error "H10" HISTOGRAM, "Prometheus 2 does not find the last bucket by its name";
    THRESHOLD_SPELLING "threshold-spelling" Advice "H10" NUMBERS, "Prometheus 2 and 3 store it under different labels";
    SUM_IMPOSSIBLE "sum-impossible" Error "H15" HISTOGRAM, "stored; averages are wrong (the snapshot was torn)";
    QUANTILE_LABEL "quantile-label" Error "Q1" SUMMARY, "stored; nobody can tell which quantile it is";
    QUANTILE_VALUE "quantile-value" Error "Q1" SUMMARY, "stored as it is";
    SUMMARY_VALUE "summary-value" Error "Q3" SUMMARY, "stored; rate() takes it for a reset or yields NaN";

    // Exemplars.
    EXEMPLAR_PLACE "exemplar-place" Error "E1" EXEMPLAR, "strict parsers reject the page";
    EXEMPLAR_MALFORMED "exemplar-malformed" Error "E2" EXEMPLAR, DROPS;
    EXEMPLAR_LENGTH "exemplar-length" Error "E3" EXEMPLAR, "Prometheus drops the exemplar; strict parsers reject the page";
    EXEMPLAR_VALUE "exemplar-value" Error "E5" EXEMPLAR, "the exemplar is shown at the wrong bucket";
    EXEMPLAR_FUTURE "exemplar-future" Advice "E6" EXEMPLAR, "Prometheus drops the exemplar as out of order or out of bounds";
    EXEMPLAR_IN_TEXT "exemplar-in-text" Error "P3" TEXT, DROPS;
}

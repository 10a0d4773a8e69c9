//! Looks: by whose rules one page shows a family, and what it calls it and its labels.
//!
//! Classic names are the same on every page but those that escape dots, and all that there is unless a registry is of the dialect `Utf8`.
//! Others are made anew for each piece of a page, once for all the metrics that it has of a family: they cost the families of nobody else
//! anything.

use crate::encode::format::{Rules, Wording};
use crate::model::{EscapingScheme, Metadata, Sink, escape_into, label_text};

/// How one family looks on one page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    /// The rules of the page.
    pub(super) rules: &'a Rules,
    /// The name of the family, without what its samples add; as it stands between quotes if there are some.
    pub(super) family: &'a str,
    /// The label that a stateset's samples add, in its quotes if it has some.
    pub(super) state: &'a str,
    /// The keys of the labels; `None` if they stand in the text of each label set as they should.
    pub(super) keys: Option<&'a [Box<str>]>,
    /// Whether the name of the family is in quotes, and so between the braces.
    pub(super) is_quoted: bool,
}

/// Names that are not what the family's metadata has.
#[derive(Debug)]
pub(super) struct Renamed {
    family: String,
    state: String,
    keys: Option<Box<[Box<str>]>>,
    is_quoted: bool,
}

impl Renamed {
    /// What a page by these rules calls the family otherwise than its metadata does.
    #[inline]
    pub(super) fn of(metadata: &Metadata, rules: &Rules) -> Option<Self> {
        let is_classic = metadata.has_classic_name() && metadata.has_classic_keys();
        match is_classic && rules.scheme != EscapingScheme::Dots {
            true => None,
            false => Self::make(metadata, rules),
        }
    }

    #[cold]
    fn make(metadata: &Metadata, rules: &Rules) -> Option<Self> {
        let (name, scheme) = (metadata.name(), rules.scheme);
        if scheme == EscapingScheme::AllowUtf8 {
            // A message has no need of quotes, and the text of a label set has them.
            let is_quoted = !matches!(rules.wording, Wording::Protobuf) && !metadata.has_classic_name();
            let mut family = String::new();
            escape_into(name.exposed(), true, &mut family);
            let state = label_text(name.exposed()).into_owned();
            return is_quoted.then_some(Self { family, state, keys: None, is_quoted });
        }
        let keys = metadata.label_keys().iter().map(|key| scheme.label_name(key).into());
        Some(Self {
            family: name.escaped(scheme, metadata.kind()).into_owned(),
            state: scheme.label_name(name.exposed()).into_owned(),
            keys: (scheme == EscapingScheme::Dots || !metadata.has_classic_keys()).then(|| keys.collect()),
            is_quoted: false,
        })
    }
}

impl<'a> Look<'a> {
    /// The look of a family, which is called as `renamed` says, if at all.
    #[inline]
    pub(super) fn new(metadata: &'a Metadata, rules: &'a Rules, renamed: Option<&'a Renamed>) -> Self {
        match renamed {
            None => {
                let name = metadata.name().exposed();
                Self { rules, family: name, state: name, keys: None, is_quoted: false }
            }
            Some(Renamed { family, state, keys, is_quoted }) => {
                Self { rules, family, state, keys: keys.as_deref(), is_quoted: *is_quoted }
            }
        }
    }

    /// Appends the name with its suffix, in quotes if it needs them.
    pub(super) fn write_name(&self, suffix: &str, out: &mut impl Sink) {
        let quote = if self.is_quoted { "\"" } else { "" };
        for part in [quote, self.family, suffix, quote] {
            out.put(part);
        }
    }

    /// The keys of the labels one by one, for who writes them himself.
    pub(super) fn each_key(&self, metadata: &'a Metadata) -> &'a [Box<str>] {
        self.keys.unwrap_or(metadata.label_keys())
    }

    /// Whether the name ends in this unit, as names with a unit have to.
    pub(super) fn has_unit(&self, unit: &str) -> bool {
        self.family.ends_with(unit)
    }
}

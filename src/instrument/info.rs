//! Infos: text about a program that does not change while it runs.

use super::series::instrument;

instrument! {
    /// Text that does not change, such as a version: the labels carry it, and the value is always 1.
    ///
    /// There is nothing to record: the series is there from its look-up on.
    ///
    /// # Examples
    /// ```
    /// let registry = manometer::Registry::new();
    /// let build = registry.info("build").help("What runs here").text([("version", "1.4.2"), ("commit", "c0ffee")])?;
    /// assert_eq!(build.label_values().collect::<Vec<_>>(), ["1.4.2", "c0ffee"]);
    /// # Ok::<(), manometer::DeclareError>(())
    /// ```
    Info
}

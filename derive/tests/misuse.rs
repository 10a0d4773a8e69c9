//! What the compiler says of misuse: each program in `ui/` fails with the message beside it.

#[test]
fn misuse_is_a_readable_error() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

//! What is read from attributes, and the names that are made where they say nothing.

use syn::{Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, Lit, LitStr, Meta};

/// The text of `#[label("text")]`, if it is there.
pub fn label(attributes: &[Attribute]) -> Result<Option<LitStr>, Error> {
    let mut labels = attributes.iter().filter(|attribute| attribute.path().is_ident("label"));
    let Some(first) = labels.next() else { return Ok(None) };
    if let Some(second) = labels.next() {
        return Err(Error::new_spanned(second, "one `label` is enough"));
    }
    let text = first.parse_args::<LitStr>();
    text.map(Some).map_err(|error| Error::new(error.span(), "what is expected is `#[label(\"text\")]`"))
}

/// The doc comment as one line.
pub fn doc(attributes: &[Attribute]) -> String {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| match &attribute
            .meta
        {
            Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        });
    // The first paragraph: what follows is for readers of the source.
    lines.skip_while(String::is_empty).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The named fields of a struct; `what` is derived.
pub fn named_fields<'a>(input: &'a DeriveInput, what: &str) -> Result<Vec<&'a Field>, Error> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter().collect()),
            _ => Err(Error::new_spanned(&input.ident, format!("`{what}` is derived for structs with named fields"))),
        },
        _ => Err(Error::new_spanned(&input.ident, format!("`{what}` is derived for structs"))),
    }
}

/// All results, or all that is wrong with them.
pub fn all<T>(results: impl Iterator<Item = Result<T, Error>>) -> Result<Vec<T>, Error> {
    let mut good = Vec::new();
    let mut wrong: Option<Error> = None;
    for result in results {
        match (result, &mut wrong) {
            (Ok(value), _) => good.push(value),
            (Err(error), Some(wrong)) => wrong.combine(error),
            (Err(error), wrong) => *wrong = Some(error),
        }
    }
    wrong.map_or(Ok(good), Err)
}

/// `NotFound` as `not_found`, `HTTPError` as `http_error`.
pub fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase())
            });
        if starts_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn words_begin_at_capitals() {
        let pairs =
            [("Get", "get"), ("NotFound", "not_found"), ("HTTPError", "http_error"), ("V2Api", "v2_api"), ("OK", "ok")];
        for (name, snake) in pairs {
            assert_eq!(snake_case(name), snake);
        }
    }
}

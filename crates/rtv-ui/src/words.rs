//! The type of optional text props. With it a page may pass a literal, a `String` or what a form already
//! holds as an `Option<String>`, without `Some(…)` and `.into()` at every call.

/// A message as a sentence: rules word their refusals to follow the name of a field, "use a day like …", and a
/// page shows them on their own.
pub(crate) fn sentence(message: String) -> String {
    let mut letters = message.chars();
    match letters.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(letters).collect(),
        _ => message,
    }
}

/// Text that may be absent.
///
/// Blank text counts as absent, so an empty hint never leaves an empty paragraph behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Option<String>);

impl Words {
    /// The text, if there is any.
    pub fn into_option(self) -> Option<String> {
        self.0
    }

    /// Whether there is text.
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self(Some(text).filter(|text| !text.trim().is_empty()))
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Option<String>> for Words {
    fn from(text: Option<String>) -> Self {
        text.map_or_else(Self::default, Self::from)
    }
}

impl From<Option<&str>> for Words {
    fn from(text: Option<&str>) -> Self {
        text.map_or_else(Self::default, Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_begins_with_a_capital() {
        let check = |message: &str, expect: &str| assert_eq!(sentence(message.to_owned()), expect);
        check("use a day like 2026-01-31.", "Use a day like 2026-01-31.");
        check("Enter your password.", "Enter your password.");
        check("élan", "Élan");
        check("", "");
    }
}

//! Rules of the design system that a reader cannot check by eye: contrasts recomputed from the colour tokens
//! in both themes, colours only among the tokens, no name used that nobody declares, and nothing the content
//! security policy would refuse.

#![allow(clippy::unwrap_used)]

mod color;
mod style_rules;

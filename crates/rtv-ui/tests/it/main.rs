//! Rules of the design system that a reader cannot check by eye: contrasts recomputed from the colour tokens
//! in both themes, colours only among the tokens, no name used that nobody declares, nothing the content
//! security policy would refuse, and no component that the gallery does not show.

#![allow(clippy::unwrap_used)]

mod color;
mod gallery;
mod style_rules;

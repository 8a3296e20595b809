//! What a person chooses about how RTV looks and behaves for them: theme, density, and whether single keys act.
//! A preference belongs to the person and not to a tenant, and changes nothing that anybody else sees.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::plan::words;

words! {
    /// Light or dark.
    #[derive(Default)]
    Theme, "theme":
    /// As the device says.
    #[default]
    System = "system", "System";
    /// Dark words on a light ground.
    Light = "light", "Light";
    /// Light words on a dark ground.
    Dark = "dark", "Dark";
}

words! {
    /// How much room rows and panels take.
    #[derive(Default)]
    Density, "density":
    /// Rows of 44 pixels.
    #[default]
    Comfortable = "comfortable", "Comfortable";
    /// Rows of 32 pixels.
    Compact = "compact", "Compact";
}

/// All that a person chose. Who never chose has the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    /// Light or dark.
    pub theme: Theme,
    /// How much room things take.
    pub density: Density,
    /// Whether keys act that are pressed alone, such as `j` or `?` (WCAG 2.1.4). Ctrl+K always does.
    pub has_single_keys: bool,
}

impl Default for Preference {
    fn default() -> Self {
        Self { theme: Theme::default(), density: Density::default(), has_single_keys: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_reads_back_its_key() {
        for theme in Theme::ALL {
            assert_eq!(theme.key().parse(), Ok(*theme));
        }
        for density in Density::ALL {
            assert_eq!(density.key().parse(), Ok(*density));
        }
        assert_eq!("sepia".parse::<Theme>(), Err("“sepia” is not a theme; use one of: system, light, dark".into()));
    }
}

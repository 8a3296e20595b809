//! Completes the options that charming writes. Its types do not know every field of `ECharts` that a quiet chart needs (direct labels
//! at the end of lines, screen-width rules, how tooltips are drawn), so those are laid over its JSON.

use serde_json::Value;

/// Lays `addition` over `base`: objects are joined key by key, lists item by item, anything else is replaced.
pub(crate) fn overlay(base: &mut Value, addition: Value) {
    match (base, addition) {
        (Value::Object(base), Value::Object(addition)) => {
            for (key, value) in addition {
                overlay(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(base), Value::Array(addition)) => {
            for (index, value) in addition.into_iter().enumerate() {
                match base.get_mut(index) {
                    Some(item) => overlay(item, value),
                    None => base.push(value),
                }
            }
        }
        (base, addition) => *base = addition,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_added_without_losing_those_that_stand() {
        let mut base = json!({"grid": [{"left": 0}], "series": {"name": "a", "width": 1}});
        overlay(&mut base, json!({"grid": [{"top": 8}, {"left": 1}], "series": {"width": 2}, "darkMode": true}));
        assert_eq!(
            base,
            json!({"grid": [{"left": 0, "top": 8}, {"left": 1}], "series": {"name": "a", "width": 2}, "darkMode": true})
        );
    }
}

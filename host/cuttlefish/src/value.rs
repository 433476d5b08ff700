//! A value: from the text of a cuttlefish file to the type that the schema demands.

use serde_json::{Number, Value};

use super::shape::Shape;
use super::unit::{Unit, amount, bytes, milliseconds};

/// Above this, not every integer is representable as a `f64`.
const MOST: f64 = 9_007_199_254_740_992.0;

/// The value of a property with that name; the error says what it should be.
pub(super) fn typed(text: &str, name: &str, shape: &Shape<'_>) -> Result<Value, String> {
    let is_meant = |value: &&Value| shown(value) == text;
    if let Some(value) = shape.values().find(is_meant) {
        return Ok(value.clone());
    }
    let kinds = shape.kinds();
    if kinds.is_empty() && shape.values().next().is_none() && shape.element().is_none() {
        return Ok(text.into());
    }
    // The narrowest type first: any text is a string.
    for kind in ["boolean", "integer", "number", "string", "array", "object"] {
        let value = match kind {
            _ if !kinds.contains(&kind) => None,
            "boolean" => flag(text).map(Value::Bool),
            "integer" => integer(text, Unit::of(name).1).map(Value::Number),
            "number" => number(text, Unit::of(name).1).map(Value::Number),
            "string" => Some(text.into()),
            "array" => array(text, name, shape)?,
            _ => json(text).filter(Value::is_object),
        };
        if let Some(value) = value {
            return Ok(value);
        }
    }
    Err(no_value(text, name, shape))
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "on" | "true" => Some(true),
        "off" | "false" => Some(false),
        _ => None,
    }
}

fn integer(text: &str, unit: Option<Unit>) -> Option<Number> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number.into());
    }
    if let Ok(number) = text.parse::<u64>() {
        return Some(number.into());
    }
    let whole = match percent(text) {
        Some(percent) => percent,
        None => counted(text, unit)?,
    };
    // Nothing is rounded: a loss of precision should be visible.
    (whole.fract() == 0.0 && whole.abs() <= MOST).then(|| (whole as i64).into())
}

fn number(text: &str, unit: Option<Unit>) -> Option<Number> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number.into());
    }
    let decimal = || amount(text.strip_prefix('-').unwrap_or(text)).and_then(|_| text.parse().ok());
    let number = decimal().or_else(|| percent(text).map(|percent| percent / 100.0)).or_else(|| counted(text, unit));
    number.and_then(Number::from_f64)
}

/// A text with a unit, converted to the unit of the name.
fn counted(text: &str, unit: Option<Unit>) -> Option<f64> {
    match unit {
        Some(Unit::Milliseconds) => milliseconds(text),
        Some(Unit::Seconds) => milliseconds(text).map(|milliseconds| milliseconds / 1e3),
        // A size is in bytes even if the name does not say so.
        Some(Unit::Bytes) | None => bytes(text),
    }
}

/// `50%`.
fn percent(text: &str) -> Option<f64> {
    amount(text.strip_suffix('%')?)
}

/// `a, b`, or JSON.
fn array(text: &str, name: &str, shape: &Shape<'_>) -> Result<Option<Value>, String> {
    if let Some(array) = json(text).filter(Value::is_array) {
        return Ok(Some(array));
    }
    // Arrays of arrays have no other form.
    let is_flat = |element: &Shape<'_>| !element.kinds().contains(&"array");
    let Some(element) = shape.element().filter(is_flat) else { return Ok(None) };
    let elements = text.split(',').map(str::trim).filter(|element| !element.is_empty());
    elements.map(|text| typed(text, name, &element)).collect::<Result<_, _>>().map(|all| Some(Value::Array(all)))
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn no_value(text: &str, name: &str, shape: &Shape<'_>) -> String {
    let kinds = shape.kinds();
    let counts = kinds.iter().any(|kind| ["integer", "number"].contains(kind));
    match Unit::of(name).1 {
        None if counts && milliseconds(text).is_some() => {
            return format!("`{name}` is a number, and `{text}` has a unit: write the number of what it counts");
        }
        Some(Unit::Seconds) if counts && milliseconds(text).is_some() => {
            return format!("`{name}` counts whole seconds, which `{text}` is not");
        }
        _ => {}
    }
    let values = shape.values().map(shown);
    let kinds = kinds.iter().map(|kind| match *kind {
        "boolean" => "on or off".into(),
        "integer" => "a whole number".into(),
        "number" => "a number".into(),
        "object" => "keys of its own or JSON".into(),
        "array" => "an array".into(),
        other => other.to_owned(),
    });
    let allowed: Vec<_> = values.chain(kinds).collect();
    let allowed = match allowed.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "nothing".into(),
    };
    format!("`{name}` takes {allowed}, which `{text}` is not")
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

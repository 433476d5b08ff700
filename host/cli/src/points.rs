//! The hook points that a configuration names.

use hookrail::catalogue::{BUILT_IN, RENAMED};
use hookrail::{ConfigError, Host};

use crate::nearest::nearest;

/// Refuses settings for a point that this program does not have. All its points exist from the start, so it is a
/// mistake, and the operator's fault settings for it would have no effect.
pub(crate) fn check(host: &Host) -> Result<(), ConfigError> {
    let points = host.point_views();
    let known: Vec<_> = points.iter().filter(|view| view.revision > 0).map(|view| view.point.as_str()).collect();
    let config = host.config();
    let of_points = config.points.keys().map(|point| (format!("points.{point:?}"), point));
    let of_hooks =
        config.overrides.iter().enumerate().map(|(index, hook)| (format!("overrides[{index}].point"), &hook.point));
    match of_points.chain(of_hooks).find(|(_, point)| !known.contains(&point.as_str())) {
        Some((key, point)) => Err(config.located(ConfigError::invalid_value(key, why(point, &known)))),
        None => Ok(()),
    }
}

fn why(point: &str, known: &[&str]) -> String {
    let what = format!("is about the hook point `{point}`");
    if let Some((_, now)) = RENAMED.iter().find(|(old, _)| *old == point) {
        return format!("{what}, which is called `{now}` here");
    }
    if BUILT_IN.iter().any(|built_in| built_in.name == point) {
        return format!("{what}, which no host dispatches yet");
    }
    match nearest(point, known) {
        Some(near) => format!("{what}, which is not there, but `{near}` is"),
        None => format!("{what}, which is not there, but {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use hookrail::Config;

    use super::*;

    #[test]
    fn each_mistake_is_told_with_what_may_be_meant() {
        let check = |point: &str, said: &str| {
            let config = Config::default().with_point(point, Default::default());
            let refused = super::check(&Host::new(config).unwrap()).unwrap_err().to_string();
            assert_eq!(refused, format!("`points.{point:?}` is about the hook point `{point}`, which {said}"));
        };
        check("message.publsh", "is not there, but `message.publish` is");
        check("message.delivred", "is not there, but `message.delivered` is");
        check("billing", "is not there, but message.delivered, message.dropped, message.publish");
        check("client.authenticate", "no host dispatches yet");
        let (old, now) = RENAMED[0];
        check(old, &format!("is called `{now}` here"));
    }
}

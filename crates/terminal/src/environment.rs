//! What the environment says: read here, once.

use std::ffi::OsString;
use std::path::PathBuf;

/// The part of the environment that matters to us.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    /// Where profiles are; `None` when there is no home directory at all.
    pub home: Option<PathBuf>,
    /// `TIDINGS_PROFILE`.
    pub profile: Option<String>,
    /// Whether `NO_COLOR` is set to anything but nothing (no-color.org), or the terminal is dumb.
    pub no_color: bool,
    /// What this machine is called.
    pub host: Option<String>,
}

impl Environment {
    pub(crate) fn read() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let get = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        Self::from(get, host)
    }

    fn from(get: impl Fn(&str) -> Option<OsString>, host: Option<String>) -> Self {
        let path = |name| get(name).map(PathBuf::from);
        let home = path("TIDINGS_HOME")
            .or_else(|| path("XDG_CONFIG_HOME").map(|config| config.join("tidings")))
            .or_else(|| path("HOME").map(|home| home.join(".config").join("tidings")));
        Self {
            home,
            profile: get("TIDINGS_PROFILE").and_then(|name| name.into_string().ok()),
            no_color: get("NO_COLOR").is_some() || get("TERM").is_some_and(|term| term == "dumb"),
            host: host.map(|host| host.trim().to_owned()).filter(|host| !host.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(variables: &[(&str, &str)]) -> Option<PathBuf> {
        let get = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        Environment::from(get, None).home
    }

    #[test]
    fn our_own_variable_wins_over_the_conventions() {
        let all = [("TIDINGS_HOME", "/t"), ("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(home(&all), Some("/t".into()));
        assert_eq!(home(&all[1..]), Some("/x/tidings".into()));
        assert_eq!(home(&all[2..]), Some("/h/.config/tidings".into()));
        assert_eq!(home(&[]), None);
    }
}

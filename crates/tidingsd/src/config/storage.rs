//! `[storage]`

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Storage {
    /// `sqlite:PATH` or `postgres://user:password@host/database[?sslmode=require]`. SQLite in
    /// `tidings.db` of the data directory when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) url: Option<StorageUrl>,
}

/// The address of a database. It may hold a password, so `Debug`, `Display` and what is serialized
/// hide that.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct StorageUrl(String);

impl StorageUrl {
    /// SQLite in its usual place.
    pub(crate) fn in_folder(data: &Path) -> Self {
        Self(format!("sqlite:{}", data.join("tidings.db").display()))
    }

    /// With the password.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The file, when it is SQLite.
    pub(crate) fn file(&self) -> Option<&Path> {
        let path = self.0.strip_prefix("sqlite:")?;
        Some(Path::new(path.strip_prefix("//").unwrap_or(path)))
    }
}

impl TryFrom<String> for StorageUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if known.iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme)) {
            return Ok(Self(url));
        }
        // Not shown: whatever it is, it may hold a password.
        Err("it must begin with sqlite: or postgres://".to_owned())
    }
}

impl fmt::Display for StorageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HIDDEN: &str = "[redacted]";
        let (scheme, rest) = match self.0.split_once("://") {
            Some((scheme, rest)) if self.file().is_none() => (scheme, rest),
            _ => return f.write_str(&self.0),
        };
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(a, b)| (a, Some(b)));
        write!(f, "{scheme}://")?;
        // A password may hold an `@` that nobody escaped; the last one ends it.
        match rest.rsplit_once('@') {
            Some((user, host)) => match user.split_once(':') {
                Some((user, _)) => write!(f, "{user}:{HIDDEN}@{host}")?,
                None => f.write_str(rest)?,
            },
            None => f.write_str(rest)?,
        }
        let mut sign = '?';
        for pair in query.into_iter().flat_map(|query| query.split('&')) {
            match pair.split_once('=') {
                Some((name, _)) if name.contains("password") => write!(f, "{sign}{name}={HIDDEN}")?,
                _ => write!(f, "{sign}{pair}")?,
            }
            sign = '&';
        }
        Ok(())
    }
}

impl fmt::Debug for StorageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl Serialize for StorageUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> StorageUrl {
        StorageUrl::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn passwords_are_hidden() {
        let hostile =
            "postgres://ana:p@ss:w/rd@db.example.org:5432/tidings?sslmode=require&password=two";
        let shown = url(hostile).to_string();
        assert_eq!(
            shown,
            "postgres://ana:[redacted]@db.example.org:5432/tidings?sslmode=require&password=[redacted]"
        );
        assert_eq!(format!("{:?}", url(hostile)), format!("{shown:?}"));
        assert_eq!(serde_json::to_value(url(hostile)).unwrap(), shown);
        for plain in ["postgres://ana@db/tidings", "postgres:///tidings", "sqlite:./a@b:c.db"] {
            assert_eq!(url(plain).to_string(), plain);
        }
    }

    #[test]
    fn only_databases_that_exist_are_accepted() {
        for bad in ["mysql://a:secret@b", "tidings.db", "sqlite:", ""] {
            let error = StorageUrl::try_from(bad.to_owned()).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!(url("sqlite:///var/tidings.db").file(), Some(Path::new("/var/tidings.db")));
        assert_eq!(url("postgres://a/b").file(), None);
    }
}

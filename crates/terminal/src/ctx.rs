//! What every command is given.

use std::io::{self, BufRead, IsTerminal as _, Read as _};
use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;
use tidings_client::server::ServerUrlError;
use tidings_client::{Client, Outbox};
use tidings_domain::Timestamp;
use tidings_wire::Time;
use tidings_wire::account::Secret;

use crate::environment::Environment;
use crate::failure::{Explain, Failure};
use crate::output::Out;
use crate::profile::{Account, Profile};
use crate::queue;

/// Streams, profile and settings of one run.
pub(crate) struct Ctx {
    /// Where output goes.
    pub out: Out,
    /// Whether values are printed as JSON.
    pub json: bool,
    /// Whose account this is.
    pub profile: Profile,
    /// What this machine is called: the name of a device unless another is given.
    pub host: String,
    /// In which zone people read times.
    pub zone: TimeZone,
    /// Whether a person types standard input.
    pub typed: bool,
    stdin: Mutex<Box<dyn BufRead + Send>>,
}

/// A session, ready for use.
pub(crate) struct Session {
    /// The client that acts for it.
    pub client: Client,
    /// Whose it is.
    pub account: Account,
    /// The profile's send queue.
    pub outbox: Outbox,
}

impl Ctx {
    pub(crate) fn new(
        environment: &Environment,
        profile: Option<&str>,
        json: bool,
    ) -> Result<Self, Failure> {
        let name = profile.or(environment.profile.as_deref()).unwrap_or("default");
        let home = environment.home.as_deref().ok_or_else(|| {
            Failure::usage("there is no home directory to keep profiles in")
                .next("set TIDINGS_HOME to a directory of your own")
        })?;
        let for_people = io::stdout().is_terminal();
        let mut out = Out::new(Box::new(io::stdout()), Box::new(io::stderr()));
        out.for_people = for_people;
        out.notes_for_people = io::stderr().is_terminal();
        out.color = for_people && !environment.no_color;
        Ok(Self {
            out,
            json,
            profile: Profile::new(home, name)?,
            host: environment.host.clone().unwrap_or_else(|| "terminal".to_owned()),
            zone: TimeZone::system(),
            typed: io::stdin().is_terminal(),
            stdin: Mutex::new(Box::new(io::BufReader::new(io::stdin()))),
        })
    }

    /// The time.
    #[expect(clippy::unused_self, reason = "commands get the time from here and nowhere else")]
    pub(crate) fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp(since_epoch.map_or(0, |time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }

    /// A time as people here read it, `2026-11-20 09:28`.
    pub(crate) fn show_time(&self, time: Time) -> String {
        jiff::Timestamp::from_millisecond(time.0.0).map_or_else(
            |_| time.to_string(),
            |at| at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
        )
    }

    /// By how many minutes the clock of people here is ahead of UTC now.
    pub(crate) fn utc_offset_min(&self) -> i16 {
        let now = jiff::Timestamp::from_millisecond(self.now().0).unwrap_or_default();
        i16::try_from(self.zone.to_offset(now).seconds() / 60).unwrap_or_default()
    }

    /// A time in a table: as people here read it, or RFC 3339 for programs.
    pub(crate) fn cell_time(&self, time: Time) -> String {
        if self.out.for_people { self.show_time(time) } else { time.to_string() }
    }

    /// A day in a table, as [`Ctx::cell_time`].
    pub(crate) fn cell_day(&self, time: Time) -> String {
        let mut text = self.cell_time(time);
        if self.out.for_people {
            text.truncate("2026-11-20".len());
        }
        text
    }

    /// All of standard input.
    pub(crate) fn read_input(&self) -> Result<String, Failure> {
        let mut text = String::new();
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        stdin.read_to_string(&mut text).map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                return Failure::new("standard input is not text in UTF-8")
                    .next("only text can be read; `iconv` converts text of other encodings");
            }
            Failure::new(format!("cannot read standard input: {error}"))
                .next("check what is piped in")
        })?;
        Ok(text)
    }

    /// One line of standard input without its end; `None` at the end of input.
    pub(crate) fn read_line(&self) -> Result<Option<String>, Failure> {
        let mut text = String::new();
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        let read = stdin
            .read_line(&mut text)
            .map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
        Ok((read > 0).then(|| text.trim_end_matches(['\n', '\r']).to_owned()))
    }

    /// The session of this profile; what waits in the send queue goes out first. Fails with exit
    /// code 4 when there is none.
    pub(crate) async fn session(&self) -> Result<Session, Failure> {
        let session = self.session_as_it_is()?;
        queue::drain(self, &session).await;
        Ok(session)
    }

    /// The session of this profile, for commands that see to the queue themselves.
    pub(crate) fn session_as_it_is(&self) -> Result<Session, Failure> {
        let account = self.profile.account()?;
        let (Some(account), Some(saved)) = (account, self.profile.session()?) else {
            let name = self.profile.name();
            return Err(Failure::not_logged_in(format!("not logged in (profile {name})"))
                .next("tidings login, or tidings register for a new account"));
        };
        let client = client_of(&account.server)?.with_token(Secret(saved.token.0.clone()));
        let outbox = Outbox::open(self.profile.outbox_dir()).cannot("open the send queue")?;
        Ok(Session { client, account, outbox })
    }
}

/// A client of a server, without a session.
pub(crate) fn client_of(server: &str) -> Result<Client, Failure> {
    let url = server.parse().map_err(|error: ServerUrlError| {
        Failure::usage(format!("\"{server}\" is no address of a server: {error}"))
            .next("for example: --server https://chat.example.org")
    })?;
    Client::new(url).cannot("set up the connection")
}

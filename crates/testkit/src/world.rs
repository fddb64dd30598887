//! The world of one test.

use std::sync::Arc;

use tidings_client::login::Registration;
use tidings_client::{Client, NewDevice};
use tidings_server::{Clock as _, Settings};

use crate::clock::TestClock;
use crate::entropy::TestEntropy;
use crate::person::{self, Person};
use crate::server::{Backend, TestServer};

/// A clock, a source of randomness, a server on loopback, and any number of people.
#[derive(Debug)]
pub struct World {
    clock: Arc<TestClock>,
    entropy: Arc<TestEntropy>,
    server: TestServer,
}

impl World {
    /// With everything in memory, open registration and without limits.
    pub async fn new(seed: u64) -> Self {
        Self::on(seed, Backend::Memory).await
    }

    /// On another store.
    pub async fn on(seed: u64, backend: Backend) -> Self {
        Self::with(seed, backend, |_| {}).await
    }

    /// With other settings than open registration and no limits.
    pub async fn with(seed: u64, backend: Backend, change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(TestClock::new());
        let entropy = Arc::new(TestEntropy::new(seed));
        let server =
            TestServer::start(backend, Arc::clone(&clock), Arc::clone(&entropy), change).await;
        Self { clock, entropy, server }
    }

    /// The clock.
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// The source of everything random in this world.
    pub fn entropy(&self) -> &TestEntropy {
        &self.entropy
    }

    /// The server.
    pub const fn server(&self) -> &TestServer {
        &self.server
    }

    /// A client of nobody.
    pub fn stranger(&self) -> Client {
        self.server.client()
    }

    /// Somebody new with an account. The first one owns the server.
    pub async fn person(&self, username: &str) -> Person {
        self.person_with(username, None).await
    }

    /// Somebody new who registers by an invite.
    pub async fn invited(&self, username: &str, invite: &str) -> Person {
        self.person_with(username, Some(invite.to_owned())).await
    }

    async fn person_with(&self, username: &str, invite: Option<String>) -> Person {
        let registration = Registration {
            username: username.to_owned(),
            setup_code: Some(self.server.setup_code().to_owned()),
            invite,
            ..Registration::default()
        };
        Person::register(self.stranger(), &self.entropy, &registration, self.clock.now()).await
    }

    /// A device that nobody has certified yet.
    pub fn device(&self) -> NewDevice {
        person::new_device(&self.entropy, self.clock.now())
    }

    /// Stops the server and starts another on the same SQL store; the address is another too. A
    /// store in memory ends with its server.
    pub async fn restart(self) -> Self {
        let Self { clock, entropy, server } = self;
        let server = server.restart(Arc::clone(&clock), Arc::clone(&entropy)).await;
        Self { clock, entropy, server }
    }

    /// Stops the server and waits until it has.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

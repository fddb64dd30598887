//! The people of the workload: accounts, channels, and who is in which.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::client::{ChannelNumbers, Client};
use super::record::{ChannelNumber, ClientNumber};
use crate::api::{self, Account, Api};
use crate::clock;

/// How many people, in how many channels.
#[derive(Debug, Clone, Copy)]
pub struct Population {
    /// Clients.
    pub clients: ClientNumber,
    /// Channels.
    pub channels: ChannelNumber,
    /// Every client is in every channel whose number leaves the same rest as its own when divided
    /// by this.
    pub spread: u32,
}

impl Population {
    /// 40 clients, 20 channels, 20 members in each: the common workload.
    pub const COMMON: Self = Self { clients: 40, channels: 20, spread: 2 };

    /// The channels of client `number`.
    pub fn channels_of(self, number: ClientNumber) -> impl Iterator<Item = ChannelNumber> {
        (0..self.channels).filter(move |channel| channel % self.spread == number % self.spread)
    }
}

/// A server with the population in it, before the first message.
#[derive(Debug)]
pub struct Town {
    /// Where the server is.
    pub server: SocketAddr,
    /// Channel ids by number.
    pub channels: Vec<String>,
    /// Accounts by client number.
    pub accounts: Vec<Account>,
    /// The owner, who is in every channel and reads everything again at the end.
    pub owner: Account,
    /// Who is where.
    pub population: Population,
    /// The cursor behind all of the set-up.
    pub cursor: String,
    heads: Vec<u64>,
    numbers: ChannelNumbers,
}

impl Town {
    /// Registers everybody, makes the channels and joins them.
    pub fn found(api: &Api, setup_code: &str, population: Population) -> anyhow::Result<Self> {
        let community = api.found(setup_code)?;
        let count = usize::try_from(population.clients)?;
        let accounts = api.people(&community, "client", count)?;
        let channels = (0..population.channels)
            .map(|number| api.create_channel(&community, &format!("channel-{number}")))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let numbered: Vec<(ClientNumber, &Account)> = (0..).zip(&accounts).collect();
        api.in_parallel(&numbered, |http, (number, account)| {
            for channel in population.channels_of(*number) {
                if let Some(id) = channels.get(channel as usize) {
                    api::join(http, &account.token, id)?;
                }
            }
            Ok(())
        })?;
        let mut http = api.connect();
        let token = &community.owner.token;
        let mut heads = Vec::new();
        for id in &channels {
            api::join(&mut http, token, id)?;
            heads.push(api::head_seq(&mut http, token, id)?);
        }
        let cursor = api::cursor(&mut http, token)?;
        let numbers: HashMap<_, _> = channels.iter().cloned().zip(0..).collect();
        Ok(Self {
            server: api.server(),
            channels,
            accounts,
            owner: community.owner,
            population,
            cursor,
            heads,
            numbers: Arc::new(numbers),
        })
    }

    /// The client of account `number`, with its joins noted, at the cursor behind the set-up.
    pub fn client(&self, number: ClientNumber) -> Option<Client> {
        let account = self.accounts.get(number as usize)?;
        Some(self.settle(number, &account.token, self.population.channels_of(number)))
    }

    /// A client that is in every channel: the owner's, numbered behind the others.
    pub fn auditor(&self) -> Client {
        let all = 0..self.population.channels;
        self.settle(self.population.clients, &self.owner.token, all)
    }

    fn settle(
        &self,
        number: ClientNumber,
        token: &str,
        channels: impl Iterator<Item = ChannelNumber>,
    ) -> Client {
        let mut client = Client::new(number, token, &self.channels, Arc::clone(&self.numbers));
        client.start_from(self.cursor.clone());
        for channel in channels {
            client.joining(clock::nanos(), channel);
            let head = self.heads.get(channel as usize).copied();
            client.joined(clock::nanos(), channel, head);
        }
        client
    }
}

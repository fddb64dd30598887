//! The workload in no time: many clients, the model, a mangler and seeded chance, without I/O.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::client::Client;
use super::mangler::{Bug, Connection, Mangler, Output};
use super::model::{Model, channel_id, token};
use super::record::{ChannelNumber, ClientNumber, Record};

/// Size of a simulated run.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Clients; as many as torture has.
    pub clients: ClientNumber,
    /// Channels; each client is in about half of them.
    pub channels: ChannelNumber,
    /// Messages to send.
    pub messages: usize,
}

impl Size {
    /// A quarter of the common workload, for two seconds of real time.
    pub const SMALL: Self = Self { clients: 20, channels: 10, messages: 200 };
}

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    /// The logs of all clients.
    pub records: Vec<Record>,
    /// How often the planted bug struck.
    pub planted: usize,
}

/// Runs the workload with `bug` planted, or right, and returns the logs.
pub fn run(seed: u64, size: Size, bug: Option<Bug>) -> Run {
    let mut world = World::new(seed, size, bug);
    while world.sent < size.messages {
        world.step();
    }
    world.finish();
    let planted = world.mangler.planted();
    let clients = world.clients.into_values();
    let records = clients.flat_map(|seat| seat.client.into_records()).collect();
    Run { records, planted }
}

/// A client and its connection.
struct Seat {
    client: Client,
    connection: Option<Connection>,
    to_server: VecDeque<String>,
    to_client: VecDeque<String>,
    /// A channel that it left and will join again once it has seen its own departure.
    away_from: Option<ChannelNumber>,
}

struct World {
    random: ChaCha8Rng,
    size: Size,
    model: Model,
    mangler: Mangler,
    clients: BTreeMap<ClientNumber, Seat>,
    clock: u64,
    next_connection: Connection,
    sent: usize,
}

impl World {
    fn new(seed: u64, size: Size, bug: Option<Bug>) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mangler = Mangler::new(bug, ChaCha8Rng::seed_from_u64(random.random()));
        let ids: Vec<String> = (0..size.channels).map(channel_id).collect();
        let numbers = Arc::new(ids.iter().cloned().zip(0..).collect());
        let mut model = Model::default();
        let mut clients = BTreeMap::new();
        for number in 0..size.clients {
            let client = Client::new(number, &token(number), &ids, Arc::clone(&numbers));
            for channel in 0..size.channels {
                if (channel + number) % 2 == 0 {
                    model.join(number, channel);
                }
            }
            let queues = (VecDeque::new(), VecDeque::new());
            let (to_server, to_client) = queues;
            let seat = Seat { client, connection: None, to_server, to_client, away_from: None };
            clients.insert(number, seat);
        }
        let mut world =
            Self { random, size, model, mangler, clients, clock: 1, next_connection: 1, sent: 0 };
        for number in 0..size.clients {
            for channel in (0..size.channels).filter(|channel| (channel + number) % 2 == 0) {
                let (at, head) = (world.tick(), world.model.head(channel));
                if let Some(seat) = world.clients.get_mut(&number) {
                    seat.client.joining(at, channel);
                    seat.client.joined(at, channel, Some(head));
                }
            }
            world.connect(number);
            world.settle(number);
        }
        world
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// One thing happens somewhere.
    fn step(&mut self) {
        let number = self.random.random_range(0..self.size.clients);
        match self.random.random_range(0..100_000_u32) {
            0..20 => self.restart(),
            20..200 => self.disconnect(number),
            200..400 => self.leave_or_return(number),
            400..3_000 => self.send(number),
            _ => self.carry(number),
        }
    }

    fn send(&mut self, number: ClientNumber) {
        let at = self.tick();
        let Some(seat) = self.clients.get_mut(&number) else { return };
        let away = seat.away_from;
        let channels: Vec<_> =
            seat.client.channels().filter(|channel| Some(*channel) != away).collect();
        let Some(channel) = channels.choose(&mut self.random) else { return };
        seat.to_server.extend(seat.client.invoke(at, *channel));
        self.sent += 1;
    }

    fn leave_or_return(&mut self, number: ClientNumber) {
        let at = self.tick();
        let Some(seat) = self.clients.get_mut(&number) else { return };
        match seat.away_from {
            None => {
                // Nothing of its own may still be on its way to the channel it leaves.
                if seat.client.unacknowledged() > 0 {
                    return;
                }
                let channels: Vec<_> = seat.client.channels().collect();
                let Some(channel) = channels.choose(&mut self.random).copied() else { return };
                seat.client.leaving(at, channel);
                seat.away_from = Some(channel);
                self.model.leave(number, channel);
            }
            Some(channel) if seat.client.channels().all(|inside| inside != channel) => {
                seat.client.joining(at, channel);
                self.model.join(number, channel);
                seat.client.joined(at + 1, channel, None);
                seat.away_from = None;
                self.clock += 1;
            }
            Some(_) => {}
        }
    }

    fn restart(&mut self) {
        for number in 0..self.size.clients {
            self.disconnect(number);
        }
        self.mangler.restarted();
    }

    /// What was on its way in either direction is gone.
    fn disconnect(&mut self, number: ClientNumber) {
        let at = self.tick();
        let Some(seat) = self.clients.get_mut(&number) else { return };
        let Some(connection) = seat.connection.take() else { return };
        seat.to_server.clear();
        seat.to_client.clear();
        seat.client.dropped(at);
        self.model.close(connection);
        self.mangler.close(connection);
    }

    fn connect(&mut self, number: ClientNumber) {
        let connection = self.next_connection;
        self.next_connection += 1;
        if let Some(seat) = self.clients.get_mut(&number) {
            seat.connection = Some(connection);
            seat.to_server.push_back(seat.client.connected());
        }
    }

    /// Moves one frame of client `number` in each direction.
    fn carry(&mut self, number: ClientNumber) {
        let Some(seat) = self.clients.get_mut(&number) else { return };
        let Some(connection) = seat.connection else { return self.connect(number) };
        if let Some(text) = seat.to_server.pop_front() {
            let outputs = self.mangler.from_client(connection, text);
            self.apply(connection, outputs);
        }
        if let Some(text) = self.model.next_event(connection) {
            let outputs = self.mangler.from_server(connection, text);
            self.apply(connection, outputs);
        }
        let at = self.tick();
        let Some(seat) = self.clients.get_mut(&number) else { return };
        if let Some(text) = seat.to_client.pop_front() {
            let answers = seat.client.frame(at, &text);
            seat.to_server.extend(answers);
        }
    }

    fn apply(&mut self, connection: Connection, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::ToServer(text) => {
                    for answer in self.model.frame(connection, &text) {
                        let outputs = self.mangler.from_server(connection, answer);
                        self.apply(connection, outputs);
                    }
                }
                Output::ToClient(connection, text) => {
                    let seat =
                        self.clients.values_mut().find(|seat| seat.connection == Some(connection));
                    if let Some(seat) = seat {
                        seat.to_client.push_back(text);
                    }
                }
            }
        }
    }

    /// Carries until nothing of client `number` moves any more.
    fn settle(&mut self, number: ClientNumber) {
        let mut quiet = 0;
        while quiet < 3 {
            let before = self.moved(number);
            self.carry(number);
            quiet = if self.moved(number) == before { quiet + 1 } else { 0 };
        }
    }

    /// Changes whenever something of client `number` moves.
    fn moved(&self, number: ClientNumber) -> (Option<Connection>, bool, usize, usize, usize) {
        self.clients.get(&number).map_or((None, false, 0, 0, 0), |seat| {
            let log = seat.client.log_length();
            (
                seat.connection,
                seat.client.is_ready(),
                seat.to_server.len(),
                seat.to_client.len(),
                log,
            )
        })
    }

    /// Brings everybody back, lets all messages arrive, and sends the last one of each channel.
    fn finish(&mut self) {
        for _ in 0..2 {
            for number in 0..self.size.clients {
                self.settle(number);
            }
        }
        for number in 0..self.size.clients {
            let away = self.clients.get(&number).and_then(|seat| seat.away_from);
            if away.is_some() {
                self.leave_or_return(number);
            }
        }
        for channel in 0..self.size.channels {
            let at = self.tick();
            let member =
                self.clients.values_mut().find(|seat| seat.client.channels().any(|c| c == channel));
            if let Some(seat) = member {
                seat.to_server.extend(seat.client.finish(at, channel));
            }
        }
        for _ in 0..2 {
            for number in 0..self.size.clients {
                self.settle(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::checker::check;
    use super::*;

    /// Rare bugs need more than one run to strike.
    const SEEDS: u64 = 60;

    #[test]
    fn a_right_server_is_acquitted() {
        for seed in 0..3 {
            let run = run(seed, Size::SMALL, None);
            let verdict = check(&run.records);
            assert!(verdict.clean(), "seed {seed}: {}", verdict.describe());
            assert!(verdict.acked > 180 && verdict.received > 1_500, "{}", verdict.describe());
        }
    }

    /// Plants `bug` until it strikes and expects the checker to see that something is wrong.
    fn caught(bug: Bug) {
        let mut runs = (0..SEEDS).map(|seed| (seed, run(seed, Size::SMALL, Some(bug))));
        let Some((seed, run)) = runs.find(|(_, run)| run.planted > 0) else {
            panic!("{bug:?} never struck");
        };
        let verdict = check(&run.records);
        assert!(!verdict.clean(), "{bug:?} struck {} times unnoticed, seed {seed}", run.planted);
    }

    #[test]
    fn a_dropped_event_is_caught() {
        caught(Bug::Drop);
    }

    #[test]
    fn a_doubled_event_is_caught() {
        caught(Bug::Double);
    }

    #[test]
    fn swapped_messages_are_caught() {
        caught(Bug::Swap);
    }

    #[test]
    fn a_skipped_seq_is_caught() {
        caught(Bug::SkipSeq);
    }

    #[test]
    fn an_early_acknowledgement_is_caught() {
        caught(Bug::AckBeforeCommit);
    }

    #[test]
    fn a_seq_used_again_after_a_restart_is_caught() {
        caught(Bug::ReuseSeq);
    }

    #[test]
    fn a_wrong_recipient_is_caught() {
        caught(Bug::WrongRecipient);
    }

    #[test]
    fn a_replay_after_a_reconnect_is_caught() {
        caught(Bug::Replay);
    }

    #[test]
    fn a_cursor_one_too_far_is_caught() {
        caught(Bug::CursorPlusOne);
    }

    #[test]
    fn a_loss_on_leaving_is_caught() {
        caught(Bug::LoseOnLeave);
    }

    #[test]
    fn a_wrong_order_is_caught() {
        caught(Bug::Reorder);
    }

    #[test]
    fn a_phantom_is_caught() {
        caught(Bug::Phantom);
    }

    #[test]
    fn the_same_seed_gives_the_same_logs() {
        let size = Size { clients: 5, channels: 3, messages: 200 };
        assert_eq!(run(3, size, None).records, run(3, size, None).records);
    }
}

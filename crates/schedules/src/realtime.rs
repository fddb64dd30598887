//! Delivery, from the sources of the server.

mod bounds;
mod primitives;

#[path = "../../server/src/realtime/cursor.rs"]
pub mod cursor;
#[path = "../../server/src/realtime/delivery.rs"]
pub mod delivery;
#[path = "../../server/src/realtime/hub.rs"]
pub mod hub;
#[path = "../../server/src/realtime/queue.rs"]
pub mod queue;
#[path = "../../server/src/realtime/subscription.rs"]
pub mod subscription;

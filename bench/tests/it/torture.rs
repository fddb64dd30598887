//! Short forms of the torture runs. What is lost, doubled or out of order is asserted; how long it
//! took is not, for that is the machine's: the full runs (`cargo xtask torture`) judge times.

mod crash;
mod disk;
mod honesty;
mod presence;
mod restore;
mod slow;
mod storm;

use tidings_bench::torture::Setting;
use tidings_bench::torture::findings::Findings;

use crate::server;

fn setting() -> Setting {
    Setting { tidingsd: server::tidingsd(), scratch: server::scratch(), seed: 1 }
}

fn assert_sound(findings: &Findings) {
    assert!(findings.sound(), "{}", findings.markdown());
}

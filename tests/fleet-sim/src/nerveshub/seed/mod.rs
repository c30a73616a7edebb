//! The fleet the hub starts with: three orgs, six products, some 480 devices. One number gives one fleet;
//! only times are relative to the moment of starting.

mod catalog;
mod devices;
mod people;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::dice::Dice;
use super::known;
use super::world::World;

/// What a test may choose about a hub.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The number that identifiers, tags, tokens and all else grow from.
    pub number: u64,
    /// The time the hub believes it is, for good; the system's clock if absent.
    pub now: Option<Timestamp>,
    /// How long a device's channel remembers a script; a slower one is answered 403.
    pub script_limit: Duration,
    /// When a script that will not be answered is answered 403.
    pub no_answer: NoAnswer,
}

impl Default for Seed {
    /// As the real service is: 15 seconds, and a wait for the whole timeout.
    fn default() -> Self {
        Self {
            number: 1,
            now: None,
            script_limit: Duration::from_secs(15),
            no_answer: NoAnswer::AfterTimeout,
        }
    }
}

/// How long the request for a script waits when no answer will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// Until the request's own `timeout`, as the real service does.
    AfterTimeout,
    /// Not at all for a device that cannot answer, and for the script limit otherwise.
    AtOnce,
}

/// The tables of a new hub.
pub(crate) fn grow(seed: &Seed) -> World {
    let mut ground = Ground {
        dice: Dice::new(seed.number),
        now: seed.now.unwrap_or_else(Timestamp::now),
        world: World { clock: seed.now, ..World::default() },
    };
    people::plant(&mut ground);
    catalog::plant(&mut ground);
    devices::plant(&mut ground);
    ground.world
}

/// What the planting shares.
struct Ground {
    dice: Dice,
    now: Timestamp,
    world: World,
}

impl Ground {
    /// So many minutes ago, at whole seconds.
    fn minutes_ago(&self, minutes: u64) -> Timestamp {
        let then = self.now - SignedDuration::from_mins(minutes as i64);
        Timestamp::from_second(then.as_second()).unwrap_or(then)
    }

    fn days_ago(&self, days: u64) -> Timestamp {
        self.minutes_ago(days * 24 * 60)
    }

    /// The row number of a product that was planted.
    fn product(&self, (org, product): (&str, &str)) -> super::model::Id {
        let org = self.world.org_named(org).expect("orgs are planted first").id;
        self.world.product_named(org, product).expect("products are planted with their org").id
    }
}

/// The products and how many generated devices each has, besides the ones with a name in [`known`].
const PRODUCTS: [((&str, &str), usize); 6] = [
    (known::KIOSK, 170),
    (known::GATEWAY, 95),
    (known::KIOSK_V2, 120),
    (known::LAB, 14),
    (known::COLD_CHAIN, 64),
    (known::EMPTY, 0),
];

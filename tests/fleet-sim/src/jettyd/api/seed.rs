//! What a platform is started with. The platform is closed: each switch stands for something that nothing public says.

use std::time::Duration;

use jiff::Timestamp;

/// Which keys a command's name and parameters stand under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialects {
    /// `{"action", "params"}`, as the npm package sends it.
    #[default]
    Action,
    /// `{"command_type", "payload"}`, as the newer documents say.
    CommandType,
    /// Either, but never both at once.
    Either,
}

/// What a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lists {
    /// A bare array, as the npm package expects it.
    #[default]
    Bare,
    /// `{"data": […]}`.
    Data,
    /// `{"devices": […]}`, `{"telemetry": […]}`, `{"commands": […]}`, `{"alerts": […]}`.
    Named,
}

/// How a telemetry row says when it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowTime {
    /// `ts`, RFC 3339.
    #[default]
    Ts,
    /// `ts`, Unix seconds.
    TsSeconds,
    /// `timestamp`, RFC 3339.
    Timestamp,
}

/// How telemetry rows come, and which are left out when there are more than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The newest ones, the oldest of them first. (The npm package takes the last one for the latest.)
    #[default]
    NewestOldestFirst,
    /// The newest ones, the newest first.
    NewestFirst,
    /// The oldest ones, the oldest first.
    OldestFirst,
}

/// What a shadow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shadows {
    /// `{"reported", "desired", "metadata"}`.
    #[default]
    Whole,
    /// What `reported` holds, and nothing around it.
    Bare,
}

/// What a test may choose about a platform.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Devices besides the known ones.
    pub devices: usize,
    /// The time it is, until a test lets time pass; the system's clock if absent.
    pub now: Option<Timestamp>,
    /// How commands are written.
    pub dialect: Dialects,
    /// What lists are.
    pub lists: Lists,
    /// What shadows are.
    pub shadows: Shadows,
    /// How rows say when they were.
    pub row_time: RowTime,
    /// How rows come.
    pub order: Order,
    /// Values of readings are texts (`"23.1"`).
    pub texts: bool,
    /// A row holds all its readings, whichever `metric` was asked for.
    pub whole_rows: bool,
    /// `to` counts.
    pub honours_to: bool,
    /// `resolution` counts: a row per bucket, with the means.
    pub honours_resolution: bool,
    /// Rows in one answer at most, whatever `limit` says.
    pub most_rows: usize,
    /// There is `/v1/alerts`; without it that is a 404.
    pub alerts: bool,
    /// `state` and `device_id` count when alerts are listed.
    pub honours_alert_filters: bool,
    /// Writes are answered without a body.
    pub empty_answers: bool,
    /// From `pending` to `sent`, when the device is there.
    pub sending: Duration,
    /// From `sent` to what the device says.
    pub answering: Duration,
}

impl Default for Seed {
    fn default() -> Self {
        Self {
            devices: 32,
            now: None,
            dialect: Dialects::default(),
            lists: Lists::default(),
            shadows: Shadows::default(),
            row_time: RowTime::default(),
            order: Order::default(),
            texts: false,
            whole_rows: false,
            honours_to: true,
            honours_resolution: false,
            most_rows: 1_000,
            alerts: true,
            honours_alert_filters: true,
            empty_answers: false,
            sending: Duration::from_millis(100),
            answering: Duration::from_millis(200),
        }
    }
}

//! Bugs that a world can be told to have, each around the real parts: they prove that the invariants see something.

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// Answers leave when a batch is decided, before it is durable.
    AnswerBeforeAppend,
    /// The edge looks limits up in what is durable and the decider doesn't: two gifts in the queue both pass.
    LimitReadOutside,
    /// A restart loads the checkpoint without its ids.
    IdForgottenAtRestart,
    /// The decider's day ends an hour late.
    MidnightOffByOne,
    /// The checkpoint is written when a batch is decided, before it is durable.
    CheckpointAhead,
    /// The decider remembers no gift and no top-up against repetition.
    RedialForgotten,
    /// A restart loads the checkpoint's ids without the floor that they stand on.
    FloorForgottenAtRestart,
    /// A command may be decided however long after it was asked.
    DeadlineUnbounded,
    /// Nothing is submitted when the time of something is over.
    TimerSleeps,
    /// The follower that tells others saves its cursor before it has told them.
    CursorAhead,
}

impl Plant {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::AnswerBeforeAppend,
        Self::LimitReadOutside,
        Self::IdForgottenAtRestart,
        Self::MidnightOffByOne,
        Self::CheckpointAhead,
        Self::RedialForgotten,
        Self::FloorForgottenAtRestart,
        Self::DeadlineUnbounded,
        Self::TimerSleeps,
        Self::CursorAhead,
    ];

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnswerBeforeAppend => "answer-before-append",
            Self::LimitReadOutside => "limit-read-outside",
            Self::IdForgottenAtRestart => "id-forgotten-at-restart",
            Self::MidnightOffByOne => "midnight-off-by-one",
            Self::CheckpointAhead => "checkpoint-ahead",
            Self::RedialForgotten => "redial-forgotten",
            Self::FloorForgottenAtRestart => "floor-forgotten-at-restart",
            Self::DeadlineUnbounded => "deadline-unbounded",
            Self::TimerSleeps => "timer-sleeps",
            Self::CursorAhead => "cursor-ahead",
        }
    }

    /// The plant of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plant| plant.name() == name)
    }
}

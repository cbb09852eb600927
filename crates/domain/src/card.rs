//! Mobile money cards: the states a card goes through.
//!
//! `Printed → InStock → Sold → Bound ⇄ Frozen → Closed | Expired | Void`. Each state holds the facts that exist in it;
//! every state before `Closed` keeps its tag.
//!
//! Deliberately not here: balances (see [`crate::state`]), who may change a state (see [`crate::decide`]).

use minicbor::{Decode, Encode};

use crate::ids::{OutletId, SubscriberId};
use crate::password::PasswordTag;
use crate::time::Timestamp;

/// Why a card is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Voiding {
    /// Lost or stolen, said by its holder.
    #[n(0)]
    Lost,
    /// Printed wrongly or returned.
    #[n(1)]
    Faulty,
    /// By the operator's order.
    #[n(2)]
    Ordered,
}

/// Where a card is in its life.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub enum CardState {
    /// Made, not yet at an outlet.
    #[n(0)]
    Printed {
        /// Of the printed password, in the *card* domain.
        #[n(0)]
        tag: PasswordTag,
    },
    /// At an outlet, worth nothing yet.
    #[n(1)]
    InStock {
        /// Who sells it.
        #[n(0)]
        outlet: OutletId,
        /// Of the printed password, in the *card* domain.
        #[n(1)]
        tag: PasswordTag,
    },
    /// Paid for; whoever knows number and password may bind it.
    #[n(2)]
    Sold {
        /// When.
        #[n(0)]
        at: Timestamp,
        /// Of the printed password, in the *card* domain.
        #[n(1)]
        tag: PasswordTag,
    },
    /// In use by its holder.
    #[n(3)]
    Bound {
        /// Whose phone.
        #[n(0)]
        holder: SubscriberId,
        /// Of the holder's password, in the *holder* domain.
        #[n(1)]
        tag: PasswordTag,
    },
    /// Stopped by its holder or by care; care thaws it after identification.
    #[n(4)]
    Frozen {
        /// Whose phone.
        #[n(0)]
        holder: SubscriberId,
        /// Of the holder's password, in the *holder* domain.
        #[n(1)]
        tag: PasswordTag,
        /// Since when.
        #[n(2)]
        since: Timestamp,
    },
    /// Its balance was moved elsewhere; it will never be used again.
    #[n(5)]
    Closed {
        /// Whose it was, when it was bound.
        #[n(0)]
        holder: Option<SubscriberId>,
        /// When.
        #[n(1)]
        at: Timestamp,
    },
    /// Its time ran out; the rest went to breakage.
    #[n(6)]
    Expired {
        /// Whose it was, when it was bound.
        #[n(0)]
        holder: Option<SubscriberId>,
        /// When.
        #[n(1)]
        at: Timestamp,
        /// Still kept, so that its holder hears "expired" and not "wrong password".
        #[n(2)]
        tag: PasswordTag,
    },
    /// Stopped for good by the operator.
    #[n(7)]
    Void {
        /// Whose it was, when it was bound.
        #[n(0)]
        holder: Option<SubscriberId>,
        /// When.
        #[n(1)]
        at: Timestamp,
        /// Why.
        #[n(2)]
        why: Voiding,
        /// Still kept, so that its holder hears "void" and not "wrong password".
        #[n(3)]
        tag: PasswordTag,
    },
}

impl CardState {
    /// Whose phone it is or was bound to.
    pub const fn holder(&self) -> Option<SubscriberId> {
        match *self {
            Self::Printed { .. } | Self::InStock { .. } | Self::Sold { .. } => None,
            Self::Bound { holder, .. } | Self::Frozen { holder, .. } => Some(holder),
            Self::Closed { holder, .. } | Self::Expired { holder, .. } | Self::Void { holder, .. } => holder,
        }
    }

    /// The tag of its password, in the domain of its state.
    pub const fn tag(&self) -> Option<PasswordTag> {
        match *self {
            Self::Printed { tag }
            | Self::InStock { tag, .. }
            | Self::Sold { tag, .. }
            | Self::Bound { tag, .. }
            | Self::Frozen { tag, .. }
            | Self::Expired { tag, .. }
            | Self::Void { tag, .. } => Some(tag),
            Self::Closed { .. } => None,
        }
    }

    /// Whether it can give, or could after care thaws it.
    pub const fn is_in_use(&self) -> bool {
        match self {
            Self::Bound { .. } | Self::Frozen { .. } => true,
            Self::Printed { .. }
            | Self::InStock { .. }
            | Self::Sold { .. }
            | Self::Closed { .. }
            | Self::Expired { .. }
            | Self::Void { .. } => false,
        }
    }

    /// Whether its balance was moved elsewhere and it will never be used again.
    pub const fn is_closed(&self) -> bool {
        match self {
            Self::Closed { .. } => true,
            Self::Printed { .. }
            | Self::InStock { .. }
            | Self::Sold { .. }
            | Self::Bound { .. }
            | Self::Frozen { .. }
            | Self::Expired { .. }
            | Self::Void { .. } => false,
        }
    }

    /// The same state with another tag; a closed card keeps none.
    #[must_use]
    pub const fn with_tag(self, tag: PasswordTag) -> Self {
        match self {
            Self::Printed { .. } => Self::Printed { tag },
            Self::InStock { outlet, .. } => Self::InStock { outlet, tag },
            Self::Sold { at, .. } => Self::Sold { at, tag },
            Self::Bound { holder, .. } => Self::Bound { holder, tag },
            Self::Frozen { holder, since, .. } => Self::Frozen { holder, tag, since },
            Self::Closed { holder, at } => Self::Closed { holder, at },
            Self::Expired { holder, at, .. } => Self::Expired { holder, at, tag },
            Self::Void { holder, at, why, .. } => Self::Void { holder, at, why, tag },
        }
    }

    /// The state's public name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Printed { .. } => "printed",
            Self::InStock { .. } => "in-stock",
            Self::Sold { .. } => "sold",
            Self::Bound { .. } => "bound",
            Self::Frozen { .. } => "frozen",
            Self::Closed { .. } => "closed",
            Self::Expired { .. } => "expired",
            Self::Void { .. } => "void",
        }
    }
}

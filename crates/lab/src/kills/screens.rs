//! What a phone's last screen means, for a client that reads English.
//!
//! Deliberately not here: why something was refused. Phones read that, and histories need not know it.

/// What a screen says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// A verdict: the name of the answer.
    Verdict(&'static str),
    /// That nothing was done: the name of the answer.
    Nothing(&'static str),
    /// That it is not known.
    Unknown,
}

/// How screens begin that tell no verdict.
const NOTHING: [(&str, &str); 11] = [
    ("Busy. Nothing was sent.", "busy"),
    ("The service is stopped for a while.", "closed"),
    ("It took too long and nothing was sent.", "not-done"),
    ("The request is too old.", "id-too-old"),
    ("The request is from the future.", "id-ahead"),
    // The edge tried other ids before it said so.
    ("This was not done and nothing was sent.", "edge"),
    ("Too many dials. Nothing was sent.", "edge"),
    ("The service can't be used now. Nothing was sent.", "edge"),
    ("There is no service under this number.", "edge"),
    ("The time is over.", "edge"),
    ("Only phones of ", "edge"),
];

/// Reads a screen. What is not known to be anything else is a refusal.
pub(super) fn says(text: &str) -> Says {
    if text.starts_with("Not known yet.") {
        return Says::Unknown;
    }
    if text.starts_with("Sent") {
        return Says::Verdict("done:given");
    }
    if text.starts_with("Card ") && text.contains(" is bound to this phone.") {
        return Says::Verdict("done:bound");
    }
    let nothing = NOTHING.iter().find(|(begins, _)| text.starts_with(begins));
    nothing.map_or(Says::Verdict("refused"), |(_, name)| Says::Nothing(name))
}

#[cfg(test)]
mod tests {
    use super::{NOTHING, Says, says};

    #[test]
    fn the_words_are_those_of_the_edges() {
        let texts = include_str!("../../../edges/src/texts/en.ftl");
        for begins in NOTHING.map(|(begins, _)| begins).iter().chain(&["Not known yet.", "Sent: ", "Sent "]) {
            assert!(texts.contains(begins), "no screen begins with {begins:?}");
        }
    }

    #[test]
    fn screens() {
        assert_eq!(
            says("Sent: 5 won to 0191 100 0002.\nLeft on the card: 1 won\nReceipt 9-D3"),
            Says::Verdict("done:given")
        );
        assert_eq!(says("Sent 5 won to 0191 100 0002. Left 1 won. Receipt 9-D3"), Says::Verdict("done:given"));
        assert_eq!(says("Card 00000001 is bound to this phone. It holds 5 won."), Says::Verdict("done:bound"));
        assert_eq!(says("Not known yet. In 5 minutes your balance shows whether it was sent."), Says::Unknown);
        assert_eq!(says("Busy. Nothing was sent. Please dial again in a moment."), Says::Nothing("busy"));
        assert_eq!(says("You can't send to your own number."), Says::Verdict("refused"));
    }
}

//! Card production's file: where it lies in the data directory, and what is printed on a card.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use api::admin::{CardSink, Press, PressOrder, Pressed};
use domain::ids::{BatchId, Language, Serial};
use domain::number::CardNumber;
use domain::password::Password;
use zeroize::Zeroizing;

use paper::press::{CardFile, Label};

/// Where files of cards are, in the data directory.
const BATCHES: &str = "batches";

/// The press of a data directory.
#[derive(Debug)]
pub(super) struct FilePress {
    data: PathBuf,
}

impl FilePress {
    pub(super) fn new(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    fn file(batch: BatchId) -> String {
        format!("{BATCHES}/{}.age", batch.get())
    }
}

impl Press for FilePress {
    fn begin(&self, order: &PressOrder) -> Result<Box<dyn CardSink>, String> {
        let dir = self.data.join(BATCHES);
        if !dir.is_dir() {
            DirBuilder::new().mode(0o700).create(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        }
        let file = Self::file(order.batch);
        let label = label(order);
        let cards = CardFile::create(&self.data.join(&file), &order.recipient, &label, order.sheets);
        Ok(Box::new(Sink { cards: cards.map_err(|fault| fault.to_string())?, file }))
    }

    fn discard(&self, batch: BatchId) {
        let path = self.data.join(Self::file(batch));
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(path = %path.display(), %error, "the file of no batch can't be removed"),
        }
    }
}

/// What is printed on each card of an order.
fn label(order: &PressOrder) -> Label {
    let of = |texts: &[String], language: Language| {
        let texts = Language::ALL.iter().zip(texts);
        texts.filter(|(known, _)| **known == language).map(|(_, text)| text.clone()).next().unwrap_or_default()
    };
    let rules = &order.rules;
    Label {
        operator_ko: of(&rules.display_names, Language::Korean),
        operator_en: of(&rules.display_names, Language::English),
        service_code: rules.service_code,
        value_minor: order.value.minor(),
        unit_ko: of(&rules.unit.names, Language::Korean),
        unit_en: of(&rules.unit.names, Language::English),
        minor_digits: rules.unit.minor_digits,
    }
}

struct Sink {
    cards: CardFile,
    file: String,
}

impl CardSink for Sink {
    fn push(&mut self, serial: Serial, number: CardNumber, password: &Password) -> Result<(), String> {
        let number = Zeroizing::new(number.get().to_string());
        self.cards.push(serial.0, &number, &password.reveal()).map_err(|fault| fault.to_string())
    }

    fn finish(self: Box<Self>) -> Result<Pressed, String> {
        let Self { cards, file } = *self;
        let sealed = cards.finish().map_err(|fault| fault.to_string())?;
        Ok(Pressed { file_hash: sealed.hash, octets: sealed.octets, file })
    }
}

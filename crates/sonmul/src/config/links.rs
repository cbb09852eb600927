//! The links of a configuration: aggregators, HLRs, SMSCs and USSD gateways.
//!
//! Guarantees: every link has a number and a name of its own whatever its kind; what can be seen to be wrong without a
//! network is an error that names the line. Secrets are not in it but in files beside it.

use std::collections::HashSet;
use std::path::PathBuf;

use domain::number::Msisdn;
use edges::aggregator::Source;
use edges::brake::BrakeConfig;
use edges::session::Times;
use toml::Spanned;

pub(crate) use super::raw::{Gateway, Letters};
use super::{ConfigError, Limits, Place, half, raw};
use crate::keys::unhex;

/// A session's and an answer's time has this ceiling: nobody waits longer, and ids of prompts live for ten minutes.
const TIME_S_MAX: u32 = 600;
const ANSWER_WITHIN_MS: std::ops::RangeInclusive<u32> = 100..=60_000;
/// An answer must be on its way so long before an HLR gives the dialogue up.
const GUARD_MARGIN_MS: u32 = 1_000;

/// What every link says.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    /// For the log, the doctor and people.
    pub(crate) name: String,
    /// Its number: part of commands' ids and of lock-outs.
    pub(crate) link: u16,
    /// Operators whose service codes it may pass on, and whose SMS it may carry.
    pub(crate) operators: Vec<String>,
    /// Numbers, first and last, that it may assert among those operators' own; empty: all of them.
    pub(crate) ranges: Vec<(Msisdn, Msisdn)>,
    /// How many wrong passwords it may bring.
    pub(crate) brake: BrakeConfig,
    /// How long its sessions live.
    pub(crate) times: Times,
    /// After so long without an answer a phone reads that it is not known yet.
    pub(crate) answer_within_ms: u32,
}

/// One HTTP aggregator.
#[derive(Debug)]
pub(crate) struct Aggregator {
    pub(crate) common: Common,
    /// BLAKE3 of its key.
    pub(crate) key_hash: [u8; 32],
    /// Where it may call from.
    pub(crate) sources: Vec<Source>,
}

/// One OsmoHLR that we are an EUSE of.
#[derive(Clone, Debug)]
pub(crate) struct Hlr {
    pub(crate) common: Common,
    /// Host and port of GSUP.
    pub(crate) gsup: String,
    /// Host and port of its control interface.
    pub(crate) ctrl: String,
    /// Our name in its `hlr.cfg`, without `EUSE-`.
    pub(crate) euse: String,
    /// Its `ncss-guard-timeout`.
    pub(crate) guard_s: u32,
}

/// One SMSC, or a USSD gateway that speaks SMPP.
#[derive(Clone, Debug)]
pub(crate) struct Smsc {
    pub(crate) common: Common,
    /// Host and port.
    pub(crate) address: String,
    /// Who we are there.
    pub(crate) system_id: String,
    /// Where the password stands; no file: none is sent.
    pub(crate) password_file: Option<PathBuf>,
    /// What some SMSCs want besides.
    pub(crate) system_type: String,
    /// It carries SMS.
    pub(crate) sms: bool,
    /// It carries USSD.
    pub(crate) ussd: bool,
    /// Whom SMS come from: a number, a short code or up to eleven letters.
    pub(crate) source: String,
    /// Messages sent and not answered yet.
    pub(crate) window: u32,
    /// Messages a second; `None`: as many as it takes.
    pub(crate) submits_per_s_max: Option<u32>,
    /// Silence after which it is asked whether it is there.
    pub(crate) enquire_link_s: u32,
    /// How long it may take for a connection, a bind or an answer.
    pub(crate) response_within_ms: u32,
    /// Connections to it at the same time.
    pub(crate) binds: u32,
    /// It sends delivery receipts.
    pub(crate) receipts: bool,
    /// Messages carry their `user_message_reference`.
    pub(crate) reference: bool,
    /// How letters are sent.
    pub(crate) letters: Letters,
    /// How it differs from other USSD gateways.
    pub(crate) gateway: Gateway,
    /// How TLS is spoken; `None`: not at all.
    pub(crate) tls: Option<SmscTls>,
}

/// TLS towards an SMSC.
#[derive(Clone, Debug)]
pub(crate) struct SmscTls {
    /// Certificates, PEM, that its own must lead to.
    pub(crate) ca_file: PathBuf,
    /// The name in its certificate; `None`: the host of the address.
    pub(crate) server_name: Option<String>,
    /// Our certificate and its key, PEM.
    pub(crate) own: Option<(PathBuf, PathBuf)>,
}

/// All links of a configuration.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) aggregators: Vec<Aggregator>,
    pub(crate) hlrs: Vec<Hlr>,
    pub(crate) smscs: Vec<Smsc>,
}

impl Links {
    /// What all of them say, in the order of the file by kinds.
    pub(crate) fn common(&self) -> impl Iterator<Item = &Common> {
        let aggregators = self.aggregators.iter().map(|aggregator| &aggregator.common);
        let hlrs = self.hlrs.iter().map(|hlr| &hlr.common);
        aggregators.chain(hlrs).chain(self.smscs.iter().map(|smsc| &smsc.common))
    }

    /// Every file that is named, for whoever knows what the names are relative to.
    pub(super) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.smscs.iter_mut().flat_map(|smsc| {
            let tls = smsc.tls.iter_mut().flat_map(|tls| {
                let own = tls.own.iter_mut().flat_map(|(cert, key)| [cert, key]);
                std::iter::once(&mut tls.ca_file).chain(own)
            });
            smsc.password_file.iter_mut().chain(tls)
        })
    }
}

/// Reads them all.
pub(super) fn read(place: &Place<'_>, raw: &raw::Config, limits: &Limits) -> Result<Links, ConfigError> {
    let mut reader = Reader { place, limits, links: HashSet::new(), names: HashSet::new() };
    let mut links = Links { aggregators: Vec::new(), hlrs: Vec::new(), smscs: Vec::new() };
    for aggregator in &raw.aggregator {
        links.aggregators.push(reader.aggregator(aggregator)?);
    }
    for hlr in &raw.hlr {
        links.hlrs.push(reader.hlr(hlr)?);
    }
    for smsc in &raw.smsc {
        links.smscs.push(reader.smsc(smsc)?);
    }
    Ok(links)
}

struct Reader<'a> {
    place: &'a Place<'a>,
    limits: &'a Limits,
    links: HashSet<u16>,
    names: HashSet<String>,
}

impl Reader<'_> {
    fn common(&mut self, raw: &raw::Common<'_>) -> Result<Common, ConfigError> {
        let place = self.place;
        if *raw.link.get_ref() == 0 || !self.links.insert(*raw.link.get_ref()) {
            return Err(place.of(raw.link, "every link has a number of its own, from 1, whatever its kind"));
        }
        if !self.names.insert(raw.name.get_ref().clone()) {
            return Err(place.of(raw.name, "two links have this name"));
        }
        let seconds = |value: Option<&Spanned<u32>>, default: u64| match value {
            Some(value) if (1..=TIME_S_MAX).contains(value.get_ref()) => Ok(*value.get_ref()),
            Some(value) => Err(place.of(value, format!("1 to {TIME_S_MAX} seconds"))),
            None => Ok(half(default)),
        };
        let answer_within_ms = match raw.answer_within_ms {
            Some(value) if ANSWER_WITHIN_MS.contains(value.get_ref()) => *value.get_ref(),
            Some(value) => return Err(place.of(value, "100 to 60000 milliseconds")),
            None => half(self.limits.answer_within_ms),
        };
        let brake = BrakeConfig::default();
        Ok(Common {
            name: raw.name.get_ref().clone(),
            link: *raw.link.get_ref(),
            operators: raw.operators.get_ref().clone(),
            ranges: raw.ranges.iter().map(|range| self.range(range)).collect::<Result<_, _>>()?,
            brake: BrakeConfig {
                burst: raw.wrong_passwords_burst.unwrap_or(brake.burst),
                per_min: raw.wrong_passwords_per_min.unwrap_or(brake.per_min),
            },
            times: Times {
                idle_s: seconds(raw.session_idle_s, self.limits.session_idle_s)?,
                total_s: seconds(raw.session_total_s, self.limits.session_total_s)?,
            },
            answer_within_ms,
        })
    }

    fn range(&self, range: &Spanned<String>) -> Result<(Msisdn, Msisdn), ConfigError> {
        let ends = range.get_ref().split_once('-').and_then(|(first, last)| {
            let end = |text: &str| Msisdn::parse(text.trim().trim_start_matches('+')).ok();
            end(first).zip(end(last)).filter(|(first, last)| first <= last)
        });
        let hint = "write the first and the last number with country code, for example \"8501910000000-8501919999999\"";
        ends.ok_or_else(|| self.place.of(range, hint))
    }

    fn address(&self, address: &Spanned<String>, example: &str) -> Result<String, ConfigError> {
        let text = address.get_ref();
        let known = text.rsplit_once(':').filter(|(host, port)| {
            let port: Option<u16> = port.parse().ok();
            !host.is_empty() && !host.contains(char::is_whitespace) && port.is_some_and(|port| port > 0)
        });
        match known {
            Some(_) => Ok(text.clone()),
            None => Err(self.place.of(address, format!("write a host and a port, for example \"{example}\""))),
        }
    }

    fn aggregator(&mut self, raw: &raw::Aggregator) -> Result<Aggregator, ConfigError> {
        let common = self.common(&raw.common())?;
        let place = self.place;
        let key_hash = raw.key_hash.get_ref().strip_prefix("blake3:").and_then(unhex::<32>);
        let key_hash = key_hash.ok_or_else(|| {
            place.of(&raw.key_hash, "write \"blake3:\" and the 64 hexadecimal digits of the key's BLAKE3 hash")
        })?;
        let source =
            |text: &Spanned<String>| Source::parse(text.get_ref()).map_err(|error| place.of(text, error.to_string()));
        let sources = raw.sources.iter().map(source).collect::<Result<_, _>>()?;
        Ok(Aggregator { common, key_hash, sources })
    }

    fn hlr(&mut self, raw: &raw::Hlr) -> Result<Hlr, ConfigError> {
        let place = self.place;
        let said_within = raw.common().answer_within_ms.cloned();
        let mut common = self.common(&raw.common())?;
        let guard_s = *raw.guard_s.get_ref();
        if !(3..=TIME_S_MAX).contains(&guard_s) {
            let what = format!("3 to {TIME_S_MAX} seconds, as ncss-guard-timeout in its hlr.cfg");
            return Err(place.of(&raw.guard_s, what));
        }
        // What nobody said is made to fit; what somebody said and can't hold is told.
        let within_max = guard_s * 1_000 - GUARD_MARGIN_MS;
        if common.answer_within_ms > within_max {
            if let Some(said) = said_within {
                let what = format!(
                    "OsmoHLR drops answers after its guard_s of {guard_s}: at most {within_max} milliseconds here"
                );
                return Err(place.of(&said, what));
            }
            common.answer_within_ms = within_max;
        }
        let euse = raw.euse.get_ref();
        if euse.is_empty()
            || euse.len() > 32
            || !euse.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        {
            let what = "a name as after `euse` in its hlr.cfg: letters, digits and hyphens, without \"EUSE-\"";
            return Err(place.of(&raw.euse, what));
        }
        Ok(Hlr {
            common,
            gsup: self.address(&raw.gsup, "127.0.0.1:4222")?,
            ctrl: self.address(&raw.ctrl, "127.0.0.1:4259")?,
            euse: euse.clone(),
            guard_s,
        })
    }

    /// An answer that comes after the follower gave the message up would be lost, and the message sent again.
    fn response_within_ms(&self, raw: Option<&Spanned<u32>>) -> Result<u32, ConfigError> {
        const USUAL_MS: u32 = 10_000;
        let below = half(self.limits.sms_submit_within_ms);
        match raw {
            Some(value) if (100..below).contains(value.get_ref()) => Ok(*value.get_ref()),
            Some(value) => {
                let what = format!("100 to {} milliseconds: below sms_submit_within_ms", below.saturating_sub(1));
                Err(self.place.of(value, what))
            }
            None => Ok(USUAL_MS.min(below / 2)),
        }
    }

    fn smsc(&mut self, raw: &raw::Smsc) -> Result<Smsc, ConfigError> {
        let place = self.place;
        let common = self.common(&raw.common())?;
        let system_id = raw.system_id.get_ref();
        if system_id.is_empty() || system_id.len() > 15 || !system_id.is_ascii() {
            return Err(place.of(&raw.system_id, "1 to 15 letters: SMPP has room for no more"));
        }
        if !raw.sms && !raw.ussd {
            return Err(place.of(&raw.address, "this link would carry nothing: say sms = true or ussd = true"));
        }
        let number = |value: Option<&Spanned<u32>>, range: std::ops::RangeInclusive<u32>| match value {
            Some(value) if range.contains(value.get_ref()) => Ok(Some(*value.get_ref())),
            Some(value) => Err(place.of(value, format!("{} to {}", range.start(), range.end()))),
            None => Ok(None),
        };
        let tls = match &raw.tls {
            None => None,
            Some(tls) => {
                let own = match (&tls.cert_file, &tls.key_file) {
                    (Some(cert), Some(key)) => Some((PathBuf::from(cert.get_ref()), PathBuf::from(key.get_ref()))),
                    (None, None) => None,
                    (Some(one), None) | (None, Some(one)) => {
                        return Err(place.of(one, "cert_file and key_file belong together"));
                    }
                };
                Some(SmscTls {
                    ca_file: PathBuf::from(tls.ca_file.get_ref()),
                    server_name: tls.server_name.as_ref().map(|name| name.get_ref().clone()),
                    own,
                })
            }
        };
        Ok(Smsc {
            common,
            address: self.address(&raw.address, "127.0.0.1:2775")?,
            system_id: system_id.clone(),
            password_file: raw.password_file.as_ref().map(|file| PathBuf::from(file.get_ref())),
            system_type: raw.system_type.clone(),
            sms: raw.sms,
            ussd: raw.ussd,
            source: raw.source.clone(),
            window: number(raw.window.as_ref(), 1..=1_000)?.unwrap_or(10),
            submits_per_s_max: number(raw.submits_per_s_max.as_ref(), 1..=100_000)?,
            enquire_link_s: number(raw.enquire_link_s.as_ref(), 1..=3_600)?.unwrap_or(30),
            response_within_ms: self.response_within_ms(raw.response_within_ms.as_ref())?,
            binds: number(raw.binds.as_ref(), 1..=16)?.unwrap_or(1),
            receipts: raw.receipts,
            reference: raw.reference,
            letters: raw.letters,
            gateway: raw.gateway.clone(),
            tls,
        })
    }
}

//! Numbers as people write them.
//!
//! Deliberately not here: the number plans themselves (domain).

use domain::number::Msisdn;
use domain::rules::Rules;
use engine::answer::Directory;

use super::problem::Problem;

/// Characters of a written number at most: 15 digits with prefixes and a separator after each.
const WRITTEN_LEN_MAX: usize = 40;

/// A number in a path: E.164 digits first, then each operator's national form; the first reading that lies in some
/// operator's ranges counts, since the ten digits of a national number also read as a number abroad.
pub(crate) fn read(written: &str, directory: &Directory) -> Result<Msisdn, Problem> {
    let wrong = || Problem::Malformed(String::from("not a phone number: write it nationally or as E.164 digits"));
    let digits = compact(written).ok_or_else(wrong)?;
    let plans = || directory.operators.iter().map(|rules| &rules.numbers);
    let own = |msisdn: &Msisdn| plans().any(|plan| plan.is_own(*msisdn));
    let bare = Msisdn::parse(&digits).ok();
    bare.filter(own)
        .or_else(|| plans().filter_map(|plan| plan.parse(&digits).ok()).find(own))
        .or(bare)
        .or_else(|| plans().find_map(|plan| plan.parse(&digits).ok()))
        .ok_or_else(wrong)
}

/// A number in a list of one operator.
pub(crate) fn read_for(rules: &Rules, written: &str) -> Option<Msisdn> {
    rules.numbers.parse(&compact(written)?).ok()
}

/// Without what people put between digits.
fn compact(written: &str) -> Option<String> {
    if written.len() > WRITTEN_LEN_MAX {
        return None;
    }
    Some(written.chars().filter(|c| !matches!(c, ' ' | '-')).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::answer::Directory;

    use super::read;

    fn directory() -> Directory {
        let operators = ["koryolink", "kangsong"].map(|name| Arc::new(domain::testing::rules(name)));
        Directory { operators: operators.into(), ..Directory::default() }
    }

    #[test]
    fn every_way_to_write_a_number_is_one_number() {
        let directory = directory();
        for written in [
            "8501912345678",
            "+8501912345678",
            "1912345678",
            "0191 234 5678",
            "0191-234-5678",
            "+850 191 234 5678",
            "008501912345678",
            "998501912345678",
        ] {
            assert_eq!(read(written, &directory).map(domain::number::Msisdn::get), Ok(8_501_912_345_678), "{written}");
        }
        assert_eq!(read("+821012345678", &directory).map(domain::number::Msisdn::get), Ok(821_012_345_678));
        for bad in ["", "+", "12", "19123x5678", "１９１２３４５６７８", &"1".repeat(41)] {
            assert!(read(bad, &directory).is_err(), "{bad}");
        }
    }

    #[test]
    fn digits_are_read_before_any_operator_is_loaded() {
        assert!(read("8501912345678", &Directory::default()).is_ok());
        assert!(read("0191 234 5678", &Directory::default()).is_err());
    }
}

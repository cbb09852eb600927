//! The log at its most talkative tells no secret.

use crate::rig::{KORYOLINK, PASSWORD, Phone, World, gift, number};

#[test]
fn a_log_at_trace_has_no_password_no_dialled_string_and_no_whole_number() {
    let world = World::new();
    let served = world.serve_with(&["--log", "trace"]);
    world.people(KORYOLINK, 2, 1_000);
    let (card, printed) = world.card(700);
    let phone = Phone::at(&world.data);
    let mut secrets = vec![card.clone(), printed.clone(), String::from(PASSWORD)];
    let mut dial = |n: u32, text: &str| {
        secrets.extend(text.split('*').filter(|field| field.len() > 4).map(String::from));
        secrets.push(String::from(text));
        phone.dial(n, text).expect("answered")
    };
    assert!(dial(1, &gift(500, 2)).contains("Sent: 500"));
    dial(1, &format!("500*{}*913746", number(2)));
    dial(1, &format!("500*{PASSWORD}*{}", number(2)));
    dial(1, &format!("{}*500*{PASSWORD}", number(2)));
    dial(2, &format!("0*4*{card}*555123"));
    dial(2, &format!("0*4*{printed}*{card}"));
    dial(2, &format!("0*2*{PASSWORD}*661199*661199"));
    dial(2, &format!("{card}*{printed}"));
    dial(1, &format!("500*{card}*{PASSWORD}"));
    let session = uuid::Uuid::now_v7().to_string();
    phone.send(1, &session, "").expect("answered");
    phone.send(1, &session, "3").expect("answered");
    phone.send(1, &session, &format!("3*{PASSWORD}")).expect("answered");
    world.run(&["subscriber", "show", &number(1)]).ok();
    world.run(&["subscriber", "history", &number(2)]).ok();
    let key = std::fs::read_to_string(world.data.join("aggregator-local.key")).expect("read");
    let tag_key = std::fs::read_to_string(world.data.join("keys/tag-1.key")).expect("read");
    secrets.extend([String::from(key.trim()), String::from(tag_key.trim())]);
    secrets.extend((1..=2).map(number));
    let (code, log) = served.stop();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    secrets.sort();
    secrets.dedup();
    for secret in secrets {
        let at = log.lines().find(|line| line.contains(&secret));
        assert!(at.is_none(), "{secret} is in the log: {at:?}");
    }
    // Nor is any of them in the files, where a command's typed fields would be.
    for file in std::fs::read_dir(&world.data).expect("read") {
        let path = file.expect("read").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.starts_with("journal-") || name.starts_with("checkpoint") {
            let octets = std::fs::read(&path).expect("read");
            for secret in [card.as_str(), printed.as_str(), PASSWORD, "913746", "555123", "661199"] {
                assert!(!octets.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} is in {name}");
            }
        }
    }
}

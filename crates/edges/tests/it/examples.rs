//! The examples of docs/protocols/http.md, run: what stands below each command there is what the router answered here.

use axum::http::StatusCode;
use expect_test::expect_file;

use crate::phone::{KEY, World, post_to};

/// Cuts a command line into words: quotes of both kinds, and a backslash before a line's end.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in command.replace("\\\n", " ").chars() {
        let Some(word) = words.last_mut() else { unreachable!("one word at least") };
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (None, ' ') => words.push(String::new()),
            (_, letter) => word.push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Does what `curl` would do, and says what it would print.
async fn curl(world: &World, command: &str) -> String {
    let (mut body, mut path, mut status_only, mut json) = (Vec::new(), String::new(), false, false);
    let mut words = words(command).into_iter().skip(1);
    while let Some(word) = words.next() {
        let mut next = || words.next().expect("a value");
        match &*word {
            "-s" => {}
            "-o" => assert_eq!(next(), "/dev/null"),
            "-w" => status_only = next() == "%{http_code}\\n",
            "-H" => assert_eq!(next(), "Authorization: Bearer $KEY"),
            "-d" => {
                let data = next();
                json |= data.starts_with('{');
                body.push(data);
            }
            "--data-urlencode" => {
                let data = next();
                let (name, value) = data.split_once('=').expect("NAME=VALUE");
                let escaped: String = value.bytes().map(|octet| format!("%{octet:02X}")).collect();
                body.push(format!("{name}={escaped}"));
            }
            address => path = String::from(address.strip_prefix("http://127.0.0.1:8080").expect("an address")),
        }
    }
    // What curl says of any `-d`; the JSON dialects must not mind.
    let content_type = "application/x-www-form-urlencoded";
    assert!(!json || body.len() == 1);
    let (status, text) = world.send(post_to(&path, content_type, body.join("&"), "127.0.0.1:1", Some(KEY))).await;
    match status_only {
        true => status.as_u16().to_string(),
        false => {
            assert_eq!(status, StatusCode::OK, "{command}");
            text
        }
    }
}

#[tokio::test]
async fn the_documents_examples_answer_what_they_say() {
    let text = include_str!("../../../../docs/protocols/http.md");
    let mut played = String::new();
    let mut examples = 0;
    for (at, block) in text.split("```").enumerate() {
        if at > 0 {
            played.push_str("```");
        }
        let Some(commands) = block.strip_prefix("console\n") else {
            played.push_str(block);
            continue;
        };
        played.push_str("console\n");
        let world = World::new();
        for command in commands.split("$ ").filter(|command| command.starts_with("curl ")) {
            // The command goes on while its lines end in a backslash.
            let mut lines = command.split_inclusive('\n');
            let mut typed = String::new();
            for line in lines.by_ref() {
                typed.push_str(line);
                if !line.ends_with("\\\n") {
                    break;
                }
            }
            played.push_str(&format!("$ {typed}{}\n", curl(&world, typed.trim_end()).await));
            world.fake.later(2);
            examples += 1;
        }
    }
    assert_eq!(examples, 7);
    expect_file!["../../../../docs/protocols/http.md"].assert_eq(&played);
}

//! Debian's tshark decodes what the edge sends: no malformed frame, and it means what was meant.

use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::expect;
use sonmul::gsup::Shown;

use super::tap::{Tap, pcap};
use super::world::{Edge, PASSWORD, World, euse_config, gift, imsi, msc, national, osmo};
use super::{screen, soon, until};

/// Runs tshark over a capture.
fn tshark(file: &Path, args: &[&str]) -> String {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-d", "tcp.port==4222,gsm_ipa"]).args(args).stdin(Stdio::null());
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            panic!("tshark is not installed: apt-get install tshark")
        }
        Err(error) => panic!("tshark: {error}"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_octets_of_a_dialogue_mean_what_was_meant() {
    let world = World::new(2);
    let dir = tempfile::tempdir().expect("a directory");
    let hlr = osmo(&dir, 2, 30).await;
    let tap = Tap::before(hlr.gsup).await;
    let edge = Edge::start(&world, euse_config(10, tap.addr, hlr.ctrl));
    edge.up().await;
    let msc = msc(&hlr).await;
    // The registration is on its way when the edge says that it is up.
    let registered = || tap.heard().iter().any(|part| part.by_client && part.octets.get(3) == Some(&5));
    until("the registration", registered).await;
    for caller in [1, 2] {
        let (_, mut dialogue) = msc.dial(imsi(caller), "*999#").await.expect("answered");
        for typed in ["1", &national(3 - caller), "200", PASSWORD] {
            screen(typed, dialogue.answer(typed)).await;
        }
    }
    let (shown, _) = soon("a refusal", msc.dial(imsi(1), &gift(501, 2))).await.expect("answered");
    assert!(matches!(shown, Shown::Ends(_)));
    let file = dir.path().join("dialogue.pcap");
    std::fs::write(&file, pcap(&tap.heard(), 4222)).expect("written");

    assert_eq!(tshark(&file, &["-Y", "_ws.malformed || _ws.expert.severity == error || gsup.ie.len.invalid"]), "");
    let fields = [
        "ipaccess.msg_type",
        "ipaccess.attr_string",
        "gsup.msg_type",
        "e212.imsi",
        "gsup.session_id",
        "gsup.session_state",
        "gsm_old.invokeID",
        "gsm_old.localValue",
        "gsm_map.ussd_string",
    ];
    let mut args = vec!["-Y", "tcp.dstport == 4222", "-T", "fields", "-E", "separator=;", "-E", "occurrence=a"];
    args.extend(fields.iter().flat_map(|field| ["-e", field]));
    expect![[r#"
        0x05;0/0/0,EUSE-airtime;;;;;;;
        ;;34;901700000000001;0x20000001;2;1;60;1 Give\n2 My phone\n3 Balance\n4 Last five\n5 Bind a card\n6 Password\n7 Freeze\n8 Chosonmal
        ;;34;901700000000001;0x20000001;2;2;60;Enter the recipient's phone number.\n0 back 00 exit
        ;;34;901700000000001;0x20000001;2;3;60;Enter the amount in won, digits only.\n0 back 00 exit
        ;;34;901700000000001;0x20000001;2;4;60;To: 0191 100 0002\nAmount: 200 won\nEnter the card's password to send.\n0 back 00 exit
        ;;34;901700000000001;0x20000001;3;1;59;Sent: 200 won to 0191 100 0002.\nLeft on the card: 9800 won\nReceipt 6-KE\r
        ;;34;901700000000002;0x20000002;2;1;60;1보내기 2내전화 3잔고 4최근5건\n5카드등록 6암호 7정지 8English
        ;;34;901700000000002;0x20000002;2;2;60;받을 사람의 손전화번호를 넣으십시오.\n0 뒤로 00 끝
        ;;34;901700000000002;0x20000002;2;3;60;금액을 수자로 넣으십시오(단위: 원).\n0 뒤로 00 끝
        ;;34;901700000000002;0x20000002;2;4;60;받을 사람: 0191 100 0001\n금액: 200원\n보내려면 암호를 넣으십시오.\n0 뒤로 00 끝
        ;;34;901700000000002;0x20000002;3;1;59;보냈습니다. 0191 100 0001, 200원.\n카드 잔고 9800원\n접수번호 7-6P
        ;;34;901700000000001;0x20000003;3;1;59;The amount is too large. Nothing was sent. The most is 500 won
    "#]]
    .assert_eq(&tshark(&file, &args));
}

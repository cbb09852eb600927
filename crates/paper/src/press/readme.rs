//! The `README.txt` inside a card file: what the people at the print shop have before them.

use super::BATCH_CARDS;
use super::label::Label;

/// In Korean first, as the shop reads it.
pub(super) fn text(label: &Label, cards: u32, parts: u32, sheets: bool) -> String {
    let Label { operator_ko, operator_en, service_code, .. } = label;
    let (value_ko, value_en) = (label.value_ko(), label.value_en());
    let (sheets_ko, sheets_en) = if sheets { (SHEETS_KO, SHEETS_EN) } else { (NO_SHEETS_KO, NO_SHEETS_EN) };
    format!(
        "{operator_ko} 전화돈 카드 / {operator_en} airtime cards
========================================================================

이 서류묶음에는 {value_ko}짜리 카드 {cards}장이 들어있습니다.

cards-0001.csv …   카드 목록 {parts}개, 목록마다 {BATCH_CARDS}장까지.
                   칸: serial(일련번호), number(카드번호), password(암호), value(값)
{sheets_ko}
카드번호와 암호는 돈과 같습니다. 긁는 칸 밑에만 찍으십시오. 아는 사람이 적을수록
좋습니다. 찍은 다음 풀어놓은 서류를 모두 지우십시오. 열쇠는 따로 보관하십시오.
일련번호는 비밀이 아닙니다. 카드에는 등록하는 방법을 찍으십시오:
*{service_code}*0*4*카드번호*암호#

------------------------------------------------------------------------

This archive holds {cards} cards of {value_en} each.

cards-0001.csv …   {parts} lists of cards, at most {BATCH_CARDS} in each.
                   Columns: serial, number, password, value
{sheets_en}
A card number with its password is money. Print them under the scratch field
and nowhere else; let few people see them; delete all that was extracted once
the cards are printed, and keep the key elsewhere. A serial is no secret.
Print on the card how to bind it: *{service_code}*0*4*CARDNUMBER*PASSWORD#
"
    )
}

const SHEETS_KO: &str = "sheets-0001.pdf …  같은 카드를 찍을 A4 종이, 한장에 10개. 긁는 칸은 별색 \"Scratch\"로
                   표시되여있습니다. QR 부호에는 일련번호만 있습니다.
";
const SHEETS_EN: &str = "sheets-0001.pdf …  The same cards as A4 pages of ten. The scratch field is filled with the
                   spot colour \"Scratch\". The QR code holds the serial and nothing else.
";
const NO_SHEETS_KO: &str = "";
const NO_SHEETS_EN: &str = "";

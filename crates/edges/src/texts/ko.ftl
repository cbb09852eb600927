# Screens and SMS in Korean: terse, because a screen has 80 letters and an SMS 70. A text that may be longer than that has a
# `.short` form, which is also what phones behind OsmoHLR (56 letters) read.
#
# Never put a particle (을/를, 이/가, 은/는) directly after a variable: whether it ends in a consonant is not known.
# Words: 손전화, 전화돈, 통보문, 암호, 카드, 손전화 봉사소.

# Words in dial strings
word-amount = 금액
word-number = 번호
word-password = 암호
word-new-password = 새암호
word-card-number = 카드번호
word-no-occasion = 없음

# The menu
menu =
    1 전화돈 보내기
    2 내 손전화에 넣기
    3 잔고 보기
    4 최근 5건
    5 카드 등록
    6 암호 바꾸기
    7 카드 정지
    8 { $language }
    .short =
    1보내기 2내전화 3잔고 4최근5건
    5카드등록 6암호 7정지 8{ $language }
more = 0 다음 00 끝

# Questions
ask-recipient =
    받을 사람의 손전화번호를 넣으십시오.
    0 뒤로 00 끝
again-recipient-malformed =
    손전화번호가 아닙니다. 다시 넣으십시오.
    0 뒤로 00 끝
again-recipient-elsewhere =
    { $operator } 번호가 아닙니다. 다른 번호를 넣으십시오.
    0 뒤로 00 끝
    .short =
    다른 통신망의 번호입니다. 다시 넣으십시오.
    0 뒤로 00 끝
again-recipient-own =
    자기 번호입니다. 받을 사람의 번호를 넣으십시오.
    자기 손전화에는 차림표 2번.
    0 뒤로 00 끝
    .short =
    자기 번호입니다. 받을 사람의 번호를 넣으십시오.
    0 뒤로 00 끝
again-swapped =
    금액과 번호의 자리가 바뀌였습니다.
    받을 사람의 번호부터 넣으십시오.
    0 뒤로 00 끝
    .short =
    금액과 번호가 바뀌였습니다. 번호부터 넣으십시오.
    0 뒤로 00 끝
ask-amount =
    금액을 수자로 넣으십시오(단위: { $unit }).
    0 뒤로 00 끝
    .short =
    금액을 수자로 넣으십시오.
    0 뒤로 00 끝
again-amount-malformed =
    금액이 아닙니다. 수자로만 넣으십시오.
    0 뒤로 00 끝
again-amount-bounds =
    보낼수 없는 금액입니다.
    최소 { $min }, 최대 { $max }.
    다시 넣으십시오. 0 뒤로 00 끝
    .short =
    보낼수 없는 금액입니다. 다시 넣으십시오.
    0 뒤로 00 끝
again-amount-step =
    보낼수 없는 금액입니다.
    최소 { $min }, 최대 { $max }, { $step } 단위.
    다시 넣으십시오. 0 뒤로 00 끝
    .short =
    보낼수 없는 금액입니다. 다시 넣으십시오.
    0 뒤로 00 끝
ask-password-give =
    받을 사람: { $to }
    금액: { $amount }
    보내려면 암호를 넣으십시오.
    0 뒤로 00 끝
    .short =
    { $to }
    { $amount }
    보내려면 암호? 0 뒤로 00 끝
ask-password-give-unnamed =
    보내려면 암호를 넣으십시오.
    0 뒤로 00 끝
ask-password-top-up =
    내 손전화에 { $amount } 넣기.
    암호를 넣으십시오.
    0 뒤로 00 끝
ask-password-top-up-unnamed =
    내 손전화에 넣으려면 암호를 넣으십시오.
    0 뒤로 00 끝
ask-password =
    카드의 암호를 넣으십시오.
    0 뒤로 00 끝
ask-password-freeze =
    카드를 정지합니다. 다시 쓰려면 손전화 봉사소에 가야 합니다.
    정지하려면 암호를 넣으십시오.
    0 뒤로 00 끝
    .short =
    카드를 정지하려면 암호를 넣으십시오.
    0 뒤로 00 끝
ask-password-bind =
    카드에 찍힌 암호 6자리를 넣으십시오.
    0 뒤로 00 끝
ask-password-undo =
    마지막으로 보낸것을 취소하려면 암호를 넣으십시오.
    0 뒤로 00 끝
again-password =
    암호가 틀렸습니다. 남은 회수: { $tries }
    암호를 다시 넣으십시오.
    0 뒤로 00 끝
again-card-password =
    카드번호나 암호가 틀렸습니다. 남은 회수: { $tries }
    암호를 다시 넣으십시오.
    0 카드번호 00 끝
    .short =
    카드번호나 암호가 틀렸습니다. 남은 회수: { $tries }
    암호? 0 카드번호 00 끝
ask-card-number =
    카드번호 16자리를 넣으십시오.
    0 뒤로 00 끝
again-card-number =
    카드번호가 아닙니다. 16자리를 다시 넣으십시오.
    0 뒤로 00 끝
ask-old-password =
    지금 쓰는 암호를 넣으십시오.
    0 뒤로 00 끝
ask-new-password =
    새 암호 6자리를 넣으십시오.
    0 뒤로 00 끝
again-new-malformed =
    암호는 수자 6자리입니다. 새 암호를 다시 넣으십시오.
    0 뒤로 00 끝
again-new-trivial =
    너무 쉬운 암호입니다. 다른 암호를 넣으십시오.
    0 뒤로 00 끝
again-new-differ =
    두 암호가 다릅니다. 새 암호를 다시 넣으십시오.
    0 뒤로 00 끝
ask-repeat =
    새 암호를 한번 더 넣으십시오.
    0 뒤로 00 끝
ask-language =
    { $list }
    0 뒤로 00 끝

ask-occasion =
    축하말을 고르십시오.
    { $list }
    0 뒤로 00 끝
    .short =
    축하말?
    { $row }
    0 뒤로 00 끝
confirm =
    받을 사람: { $to }
    { $amount } 보냅니까?
    1 예 0 아니
    .short =
    { $to }
    { $amount } 보냅니까?
    1 예 0 아니
confirm-near =
    주의! 전에는 { $near }
    이번에는 { $to }
    { $amount } 보냅니까?
    1 예 0 아니
    .short =
    전에는 { $near }
    이번 { $to } { $amount }?
    1예 0아니
confirm-unnamed =
    넣은대로 보냅니까?
    1 예 0 아니
declined = 보내지 않았습니다.

# Lists
line-airtime = 전화돈 { $amount } ({ $minutes })
line-sendable = 오늘 보낼수 있는 금액 { $amount }
line-card = 카드 { $serial } { $amount }
line-card-unusable = 카드 { $serial } { $amount } (못씀)
line-gift-sent = { $date } 보냄 { $amount } { $other }
line-gift-received = { $date } 받음 { $amount } { $other }
no-gifts = 보냈거나 받은것이 없습니다.

# The edge's own answers
help =
    이렇게 거십시오:
    { $dial }
    차림표: { $menu }
full-form =
    암호까지 한번에 거십시오:
    { $dial }
bye = 끝났습니다.
session-over = 시간이 지났습니다. 처음부터 다시 거십시오.
too-many-dials = 너무 자주 걸었습니다. 아무것도 보내지 않았습니다. 1분후에 다시 거십시오.
link-braked = 지금은 봉사할수 없습니다. 아무것도 보내지 않았습니다. 후에 다시 거십시오.
no-service = 봉사하지 않는 번호입니다.
caller-elsewhere = { $operator } 손전화에서만 쓸수 있습니다.
too-long = 내용이 길어 다 보여줄수 없습니다. 손전화 봉사소에 문의하십시오.

# Done
given =
    보냈습니다. { $to }, { $amount }.
    카드 잔고 { $left }
    접수번호 { $receipt }
    .short = 보냄 { $to } { $amount }, 잔고 { $left }, 접수 { $receipt }
given-fee =
    보냈습니다. { $to }, { $amount }, 료금 { $fee }.
    카드 잔고 { $left }
    접수번호 { $receipt }
    .short = 보냄 { $to } { $amount }, 잔고 { $left }, 접수 { $receipt }
held =
    보류중: { $to }, { $amount }. { $when } 전에 취소할수 있습니다.
    취소 { $dial }
    접수번호 { $receipt }
    .short = 보류 { $to } { $amount }, 취소 { $dial }
held-fee =
    보류중: { $to }, { $amount }, 료금 { $fee }. { $when } 전에 취소할수 있습니다.
    취소 { $dial }
    접수번호 { $receipt }
    .short = 보류 { $to } { $amount }, 취소 { $dial }
undone =
    취소했습니다. { $to }, { $amount }.
    카드 잔고 { $left }
    .short = 취소 { $to } { $amount }, 잔고 { $left }
topped-up =
    내 손전화에 { $amount } 넣었습니다.
    전화돈 { $airtime } ({ $minutes })
    카드 잔고 { $left }
    .short = 넣었습니다. 전화돈 { $airtime }, 카드 잔고 { $left }
topped-up-fee =
    내 손전화에 { $amount } 넣었습니다(료금 { $fee }).
    전화돈 { $airtime } ({ $minutes })
    카드 잔고 { $left }
    .short = 넣었습니다. 전화돈 { $airtime }, 카드 잔고 { $left }
password-changed = 암호를 바꾸었습니다.
frozen = 카드 { $serial } 정지되였습니다. 다시 쓰려면 손전화 봉사소에 가십시오.
bound =
    카드 { $serial } 등록되였습니다.
    잔고 { $amount }. 보내는 암호는 카드에 찍힌 암호입니다.
    .short = 카드 { $serial } 등록되였습니다. 잔고 { $amount }
language-set = 조선말로 보여줍니다.
done = 처리되였습니다.

# Answers that are no verdicts
busy = 지금은 바쁩니다. 아무것도 보내지 않았습니다. 잠시후 다시 거십시오.
closed = 봉사를 잠시 멈추었습니다. 아무것도 보내지 않았습니다. 후에 다시 거십시오.
not-done = 시간이 지나 아무것도 보내지 않았습니다. 다시 거십시오.
id-reused = 처리하지 않았습니다. 아무것도 보내지 않았습니다. 다시 거십시오.
id-too-old = 요청이 너무 오래되였습니다. 아무것도 보내지 않았습니다.
id-ahead = 요청의 시간이 맞지 않습니다. 아무것도 보내지 않았습니다.
unknown = 아직 알수 없습니다. 5분후에 잔고를 보면 보냈는지 알수 있습니다.

# After a dialogue was dropped, for whoever dials again within a minute
resume-occasion =
    전화돈을 보내던중이였습니다. 축하말?
    { $list }
    0 차림표 00 끝
    .short =
    보내던중. 축하말?
    { $row }
    0 차림표 00 끝
resume-give =
    { $to }에게 { $amount } 보내던중이였습니다.
    계속하려면 암호를 넣으십시오.
    0 차림표 00 끝
    .short =
    { $to }에게 { $amount } 보내던중.
    암호? 0 차림표 00 끝
resume-give-unnamed =
    아직 보내지 않았습니다. 보내려면 암호를 넣으십시오.
    0 차림표 00 끝
resume-top-up =
    내 손전화에 { $amount } 넣던중이였습니다.
    계속하려면 암호를 넣으십시오.
    0 차림표 00 끝
    .short =
    내 손전화에 { $amount } 넣던중.
    암호? 0 차림표 00 끝
resume-top-up-unnamed =
    내 손전화에 넣던중이였습니다. 계속하려면 암호를 넣으십시오.
    0 차림표 00 끝
resume-bind =
    카드를 등록하던중이였습니다. 카드에 찍힌 암호를 넣으십시오.
    0 차림표 00 끝
resume-amount =
    { $to }에게 보내던중이였습니다. 금액을 넣으십시오.
    0 차림표 00 끝
resume-recipient =
    { $amount } 보내던중이였습니다. 받을 사람의 번호를 넣으십시오.
    0 차림표 00 끝
    .short =
    { $amount } 보내던중. 받을 사람의 번호?
    0 차림표 00 끝
resume-recipient-unnamed =
    전화돈을 보내던중이였습니다. 받을 사람의 번호를 넣으십시오.
    0 차림표 00 끝
last-given =
    { $to }에게 { $amount } { $when }에 보냈습니다.
    접수번호 { $receipt }
    0 차림표 00 끝
    .short =
    { $to } { $amount } { $when } 보냄
    접수 { $receipt }
    0 차림표 00 끝
last-topped-up =
    내 손전화에 { $amount } { $when }에 넣었습니다.
    0 차림표 00 끝
last-done =
    지난번에 청한것은 처리되였습니다.
    0 차림표 00 끝
last-not-done =
    지난번에 청한것은 처리되지 않았습니다. 아무것도 보내지 않았습니다.
    0 차림표 00 끝
    .short =
    지난번 청한것은 처리되지 않았습니다(보내지 않음).
    0 차림표 00 끝

# Limits: `limit-…` says what is limited, `window-…` in which time
limit-sender = { $window } { $ceiling }
limit-recipient = 받는 사람에게 { $window } { $ceiling }
limit-pair = 같은 사람에게 { $window } { $ceiling }
limit-card = 카드마다 { $window } { $ceiling }
limit-top-up = 내 손전화에 { $window } { $ceiling }
ceiling-count = { $count }번
window-day = 하루
window-month = 한달
window-days = { $days }일에

# Refusals
refusal-service-closed = 봉사가 중지되였습니다. 아무것도 보내지 않았습니다. 손전화 봉사소에 문의하십시오.
    .short = 봉사가 중지되였습니다. 손전화 봉사소에 문의하십시오.
refusal-caller-unknown = 등록되지 않은 손전화입니다. 손전화 봉사소에 문의하십시오.
refusal-caller-barred = 이 손전화는 봉사가 막혔습니다. 손전화 봉사소에 문의하십시오.
refusal-caller-resting = SIM카드를 바꾸었으므로 { $when } 지나야 보낼수 있습니다. 급하면 손전화 봉사소에 가십시오.
    .short = SIM카드를 바꾸었으므로 { $when } 지나야 보낼수 있습니다.
refusal-locked = 암호가 여러번 틀려 잠겼습니다. { $when } 지나서 다시 거십시오. 급하면 손전화 봉사소에 가십시오.
    .short = 암호가 여러번 틀려 잠겼습니다. { $when } 지나서 다시 거십시오.
refusal-no-card =
    이 손전화에 등록된 카드가 없습니다. 카드를 등록하려면:
    { $dial }
    .short =
    카드가 없습니다. 등록:
    { $dial }
refusal-wrong-password = 암호가 틀렸습니다. 아무것도 보내지 않았습니다. 잠기기까지 남은 회수: { $tries }
refusal-wrong-password-locked = 암호가 틀려 잠겼습니다. { $when } 지나서 다시 거십시오. 암호를 잊었으면 손전화 봉사소에 가십시오.
    .short = 암호가 틀려 잠겼습니다. { $when } 지나서 다시 거십시오.
wrong-card-or-password = 카드번호나 암호가 틀렸습니다. 등록하지 않았습니다. 잠기기까지 남은 회수: { $tries }
refusal-card-frozen = 정지된 카드입니다. 다시 쓰려면 신분증을 가지고 손전화 봉사소에 가십시오.
refusal-card-expired = 기한이 지난 카드입니다. 새 카드를 사서 등록하십시오.
refusal-card-void = 무효로 된 카드입니다. 손전화 봉사소에 문의하십시오.
refusal-card-already-bound = 이미 등록된 카드입니다. 그대로 쓸수 있습니다.
refusal-card-not-sold = 아직 팔지 않은 카드입니다. 산 곳에 문의하십시오.
refusal-card-closed = 끝난 카드입니다. 손전화 봉사소에 문의하십시오.
refusal-too-many-refusals = 오늘은 보낼수 없습니다. 틀린 요청이 너무 많았습니다. { $date } 0시부터 다시 할수 있습니다.
    .short = 틀린 요청이 너무 많았습니다. { $date } 0시부터 할수 있습니다.
refusal-amount-recipient-swapped =
    금액과 번호의 자리가 바뀌였습니다. 보내지 않았습니다. 이렇게 거십시오:
    { $dial }
    .short =
    금액과 번호가 바뀌였습니다. 이렇게 거십시오:
    { $dial }
refusal-recipient-malformed = 받을 사람의 번호가 틀렸습니다. 보내지 않았습니다. 번호를 확인하고 다시 거십시오.
refusal-amount-malformed = 금액이 틀렸습니다. 보내지 않았습니다. 금액을 수자로만 넣어 다시 거십시오.
refusal-recipient-elsewhere = 다른 통신망의 번호입니다. { $operator } 번호에만 보낼수 있습니다.
    .short = 다른 통신망의 번호입니다. 보내지 않았습니다.
refusal-recipient-unknown = 받을수 없는 번호입니다. 보내지 않았습니다. 번호를 확인하고 다시 거십시오.
refusal-recipient-is-caller =
    자기 번호입니다. 자기 손전화에는 이렇게 넣습니다:
    { $dial }
    .short =
    자기 번호입니다. 자기에게는:
    { $dial }
refusal-amount-below-minimum = 금액이 너무 작습니다. 보내지 않았습니다. 최소 { $amount }
refusal-amount-above-maximum = 금액이 너무 큽니다. 보내지 않았습니다. 최대 { $amount }
refusal-amount-off-step = 금액은 { $amount } 단위로만 보낼수 있습니다. 보내지 않았습니다.
refusal-repeated =
    이미 { $when } 보냈습니다(접수번호 { $receipt }). 두번 보내지 않았습니다.
    다시 보낼수 있는 시간: { $again }
    .short = 이미 보냈습니다({ $when }). 다시 보낼 시간: { $again }
refusal-repeated-top-up =
    이미 { $when } 내 손전화에 { $amount } 넣었습니다(접수번호 { $receipt }). 두번 넣지 않았습니다.
    다시 넣을수 있는 시간: { $again }
    .short = 이미 넣었습니다({ $when }). 다시 넣을 시간: { $again }
refusal-sender-too-young = 새 손전화입니다. { $date } 0시부터 보낼수 있습니다.
refusal-recipient-too-young = 받을 손전화가 새것입니다. { $date } 0시부터 받을수 있습니다.
refusal-limit-reached = 한도에 이르렀습니다({ $limit }). 보내지 않았습니다. { $date } 0시부터 다시 할수 있습니다.
    .short = 한도에 이르렀습니다. { $date } 0시부터 다시 할수 있습니다.
refusal-recipient-balance-max = 받는 사람의 전화돈이 한도를 넘게 됩니다. 지금은 최대 { $amount } 보낼수 있습니다.
    .short = 받는 사람의 한도를 넘습니다. 지금 최대 { $amount }
refusal-insufficient-funds = 카드 잔고가 { $amount } 모자랍니다. 보내지 않았습니다. 금액을 줄이거나 새 카드를 등록하십시오.
    .short = 카드 잔고가 { $amount } 모자랍니다. 보내지 않았습니다.
refusal-nothing-to-undo = 취소할것이 없습니다. 이미 받은것은 취소할수 없습니다.
refusal-new-password-malformed = 새 암호는 수자 6자리입니다. 암호를 바꾸지 않았습니다.
refusal-new-passwords-differ = 새 암호 두개가 다릅니다. 암호를 바꾸지 않았습니다.
refusal-new-password-trivial = 너무 쉬운 암호입니다. 암호를 바꾸지 않았습니다. 다른것으로 하십시오.
refusal-new-password-same = 새 암호가 지금 암호와 같습니다. 암호를 바꾸지 않았습니다.
refusal-binding-blocked = 이 카드는 암호가 여러번 틀려 막혔습니다. 카드를 가지고 손전화 봉사소에 가십시오.
refusal-too-many-cards = 카드는 { $max }장까지 등록할수 있습니다. 손전화 봉사소에 문의하십시오.
refusal-language-not-offered = 그 말로는 봉사하지 않습니다.

# Refusals that only the operator's people hear
refusal-operator-unknown = 그런 통신망이 없습니다.
refusal-rules-clash = 규정이 맞지 않습니다: { $with }
    .short = 규정이 맞지 않습니다.
refusal-subscriber-unknown = 그런 번호가 없습니다.
refusal-number-out-of-range = 번호가 범위밖에 있습니다(순서 { $place }).
refusal-card-unknown = 그런 카드가 없습니다.
refusal-card-number-taken = 이미 있는 카드번호입니다(순서 { $place }).
refusal-card-state-forbids = 카드의 상태때문에 할수 없습니다: { $state }
    .short = 카드의 상태때문에 할수 없습니다.
refusal-amount-overflow = 금액이 너무 커서 계산할수 없습니다.
refusal-too-much-at-once = 한번에 너무 많습니다. 최대 { $max }
refusal-nothing-to-change = 바꿀것이 없습니다.
refusal-office-only = 이것은 봉사소에서만 할수 있습니다.
refusal-twice-in-list = 같은 번호가 두번 있습니다(순서 { $place }).

# SMS to the recipient
sms-gift = 전화돈 { $amount } ({ $minutes }) 받았습니다. 보낸 번호 { $from }. 접수번호 { $receipt }
    .short = 전화돈 { $amount } ({ $minutes }), 보낸 번호 { $from }, 접수 { $receipt }
sms-gift-greeting = { $greeting } 전화돈 { $amount } ({ $minutes }) 받았습니다. 보낸 번호 { $from }. 접수번호 { $receipt }
    .short = { $greeting } 전화돈 { $amount } ({ $minutes }), { $from }, 접수 { $receipt }
greeting-birthday = 생일을 축하합니다!
greeting-wedding = 결혼을 축하합니다!
greeting-new-year = 새해를 축하합니다!
greeting-exam = 시험을 잘 치십시오!
greeting-thanks = 고맙습니다!
greeting-get-well = 빨리 나으십시오!
# The same occasions in the menu
occasion-birthday = 생일
occasion-wedding = 결혼
occasion-new-year = 새해
occasion-exam = 시험
occasion-thanks = 감사
occasion-get-well = 문병

# SMS to the sender, where the screen may not have been seen
sms-gave = { $amount } 보냈습니다. 받은 번호 { $to }. 카드 잔고 { $left }. 접수번호 { $receipt }
    .short = { $amount } 보냄, { $to }. 잔고 { $left }. 접수 { $receipt }
sms-gave-fee = { $amount } 보냈습니다(료금 { $fee }). 받은 번호 { $to }. 카드 잔고 { $left }. 접수번호 { $receipt }
    .short = { $amount } 보냄, { $to }. 료금 { $fee }, 잔고 { $left }. 접수 { $receipt }
sms-held = 보류중: { $to }, { $amount }. { $when } 전에 취소할수 있습니다: { $dial } 접수번호 { $receipt }
    .short = 보류 { $to } { $amount }, 취소 { $dial } 접수 { $receipt }
sms-undone = 취소했습니다. { $to }, { $amount }. 카드 잔고 { $left }. 접수번호 { $receipt }
    .short = 취소 { $to } { $amount }, 잔고 { $left }, 접수 { $receipt }
sms-hold-voided = 보내지 못했습니다. { $to } 번호는 지금 받지 못합니다. { $amount } 되돌렸습니다. 카드 잔고 { $left }. 접수번호 { $receipt }
    .short = 보내지 못함 { $to }, { $amount } 되돌림, 잔고 { $left }, 접수 { $receipt }
sms-hold-voided-full = 보내지 못했습니다. { $to } 번호는 지금 그만큼 받지 못합니다. { $amount } 되돌렸습니다. 카드 잔고 { $left }. 접수번호 { $receipt }
    .short = 한도 넘음 { $to }, { $amount } 되돌림, 잔고 { $left }, 접수 { $receipt }
sms-hold-voided-card = { $to } 번호로 보내지 못했습니다. 카드를 쓸수 없습니다. { $amount } 되돌렸습니다. 카드 잔고 { $left }. 접수번호 { $receipt }
    .short = 카드 못씀 { $to }, { $amount } 되돌림, 잔고 { $left }, 접수 { $receipt }
sms-hold-voided-sender = { $to } 번호로 보내지 못했습니다. 이 손전화는 지금 보낼수 없습니다. { $amount } 되돌렸습니다. 카드 잔고 { $left }. 접수번호 { $receipt }
    .short = 보낼수 없음 { $to }, { $amount } 되돌림, 잔고 { $left }, 접수 { $receipt }
sms-hold-voided-closed = { $to } 번호로 보내지 못했습니다. 봉사가 중지되였습니다. { $amount } 되돌렸습니다. 카드 잔고 { $left }. 접수번호 { $receipt }
    .short = 봉사 중지 { $to }, { $amount } 되돌림, 잔고 { $left }, 접수 { $receipt }
sms-topped-up = 내 손전화에 { $amount } 넣었습니다. 전화돈 { $airtime }. 카드 잔고 { $left }. 접수번호 { $receipt }
    .short = 내 손전화에 { $amount } 넣음. 카드 { $left }. 접수 { $receipt }
sms-topped-up-fee = 내 손전화에 { $amount } 넣었습니다(료금 { $fee }). 전화돈 { $airtime }. 카드 잔고 { $left }. 접수번호 { $receipt }
    .short = 내 손전화에 { $amount } 넣음. 료금 { $fee }, 카드 { $left }. 접수 { $receipt }

# Screens and SMS in English, in letters of the GSM 7-bit alphabet only: 182 to a screen, 160 to an SMS. The two screens
# that name languages in their own letters are the exception (80). `.short` is read where the long text doesn't fit, and
# by phones behind OsmoHLR (128, or 56 with other letters).

# Words in dial strings
word-amount = AMOUNT
word-number = NUMBER
word-password = PASSWORD
word-new-password = NEW
word-card-number = CARDNUMBER
word-no-occasion = none

# The menu
menu =
    1 Give
    2 My phone
    3 Balance
    4 Last five
    5 Bind a card
    6 Password
    7 Freeze
    8 { $language }
more = 0 more 00 exit

# Questions
ask-recipient =
    Enter the recipient's phone number.
    0 back 00 exit
again-recipient-malformed =
    That is no phone number. Enter the recipient's phone number again.
    0 back 00 exit
again-recipient-elsewhere =
    That is not a number of { $operator }. Enter another number.
    0 back 00 exit
again-recipient-own =
    That is your own number. Enter the recipient's; for your own phone choose 2 in the menu.
    0 back 00 exit
again-swapped =
    Amount and number are in each other's place. Enter the recipient's number first.
    0 back 00 exit
ask-amount =
    Enter the amount in { $unit }, digits only.
    0 back 00 exit
again-amount-malformed =
    That is no amount. Enter it in digits only.
    0 back 00 exit
again-amount-bounds =
    This amount is not allowed: at least { $min }, at most { $max }. Enter it again.
    0 back 00 exit
    .short =
    This amount is not allowed. Enter another one.
    0 back 00 exit
again-amount-step =
    This amount is not allowed: at least { $min }, at most { $max }, in steps of { $step }. Enter it again.
    0 back 00 exit
    .short =
    This amount is not allowed. Enter another one.
    0 back 00 exit
ask-password-give =
    To: { $to }
    Amount: { $amount }
    Enter the card's password to send.
    0 back 00 exit
    .short =
    { $amount } to { $to }
    Password? 0 back 00 exit
ask-password-give-unnamed =
    Enter the card's password to send.
    0 back 00 exit
ask-password-top-up =
    { $amount } to your own phone. Enter the card's password.
    0 back 00 exit
ask-password-top-up-unnamed =
    Enter the card's password to top up your own phone.
    0 back 00 exit
ask-password =
    Enter the card's password.
    0 back 00 exit
ask-password-freeze =
    This freezes the card; only the service centre can undo it. Enter its password to freeze it.
    0 back 00 exit
ask-password-bind =
    Enter the six-digit password printed on the card.
    0 back 00 exit
ask-password-undo =
    Enter the card's password to undo the latest gift.
    0 back 00 exit
again-password =
    Wrong password. Tries left: { $tries }
    Enter it again.
    0 back 00 exit
again-card-password =
    Wrong card number or password. Tries left: { $tries }
    Enter the password again.
    0 card number 00 exit
ask-card-number =
    Enter the 16 digits of the card number.
    0 back 00 exit
again-card-number =
    That is no card number. Enter its 16 digits again.
    0 back 00 exit
ask-old-password =
    Enter the password that you use now.
    0 back 00 exit
ask-new-password =
    Enter a new password of six digits.
    0 back 00 exit
again-new-malformed =
    A password is six digits. Enter the new password again.
    0 back 00 exit
again-new-trivial =
    This password is too easy to guess. Enter another one.
    0 back 00 exit
again-new-differ =
    The two passwords differ. Enter the new password again.
    0 back 00 exit
ask-repeat =
    Enter the new password once more.
    0 back 00 exit
ask-language =
    { $list }
    0 back 00 exit

ask-occasion =
    Choose a greeting.
    { $list }
    0 back 00 exit
    .short =
    Greeting?
    { $row }
    0 back 00 exit
confirm =
    Give { $amount } to { $to }?
    1 yes 0 no
confirm-near =
    Careful: before you gave to { $near }.
    Give { $amount } to { $to } now?
    1 yes 0 no
confirm-unnamed =
    Send it as you entered it?
    1 yes 0 no
declined = Nothing was sent.

# Lists
line-airtime = Airtime { $amount } ({ $minutes })
line-sendable = May be sent today: { $amount }
line-card = Card { $serial }: { $amount }
line-card-unusable = Card { $serial }: { $amount } (not usable)
line-gift-sent = { $date } sent { $amount } to { $other }
line-gift-received = { $date } got { $amount } from { $other }
no-gifts = Nothing sent or received yet.

# The edge's own answers
help =
    Dial like this:
    { $dial }
    Menu: { $menu }
full-form =
    Dial all at once, with the password:
    { $dial }
bye = Goodbye.
session-over = The time is over. Please dial again from the start.
too-many-dials = Too many dials. Nothing was sent. Dial again in one minute.
link-braked = The service can't be used now. Nothing was sent. Dial again later.
no-service = There is no service under this number.
caller-elsewhere = Only phones of { $operator } can use this service.
too-long = This is too long for one screen. Please ask the service centre.

# Done
given =
    Sent: { $amount } to { $to }.
    Left on the card: { $left }
    Receipt { $receipt }
    .short = Sent { $amount } to { $to }. Left { $left }. Receipt { $receipt }
given-fee =
    Sent: { $amount } to { $to }, fee { $fee }.
    Left on the card: { $left }
    Receipt { $receipt }
    .short = Sent { $amount } to { $to }. Left { $left }. Receipt { $receipt }
held =
    On hold: { $amount } to { $to }, until { $when }.
    To undo: { $dial }
    Receipt { $receipt }
    .short = On hold { $amount } to { $to } until { $when }. Undo: { $dial }
held-fee =
    On hold: { $amount } to { $to }, fee { $fee }, until { $when }.
    To undo: { $dial }
    Receipt { $receipt }
    .short = On hold { $amount } to { $to } until { $when }. Undo: { $dial }
undone =
    Undone: { $amount } to { $to }.
    On the card: { $left }
    .short = Undone { $amount } to { $to }. Left { $left }
topped-up =
    Your phone got { $amount }.
    Airtime { $airtime } ({ $minutes })
    Left on the card: { $left }
    .short = Your phone got { $amount }. Airtime { $airtime }. Card { $left }
topped-up-fee =
    Your phone got { $amount }, fee { $fee }.
    Airtime { $airtime } ({ $minutes })
    Left on the card: { $left }
    .short = Your phone got { $amount }. Airtime { $airtime }. Card { $left }
password-changed = The password is changed.
frozen = Card { $serial } is frozen. The service centre can make it usable again.
bound =
    Card { $serial } is bound to this phone. It holds { $amount }.
    Its printed password is the one to give with.
language-set = Screens are in English from now on.
done = Done.

# Answers that are no verdicts
busy = Busy. Nothing was sent. Please dial again in a moment.
closed = The service is stopped for a while. Nothing was sent. Please dial again later.
not-done = It took too long and nothing was sent. Please dial again.
id-reused = This was not done and nothing was sent. Please dial again.
id-too-old = The request is too old. Nothing was sent.
id-ahead = The request is from the future. Nothing was sent.
unknown = Not known yet. In 5 minutes your balance shows whether it was sent.

# After a dialogue was dropped, for whoever dials again within a minute
resume-occasion =
    You were sending airtime. Choose a greeting.
    { $list }
    0 menu 00 exit
    .short =
    You were sending airtime. Greeting?
    { $row }
    0 menu 00 exit
resume-give =
    You were sending { $amount } to { $to }.
    Enter the card's password to send it.
    0 menu 00 exit
    .short =
    { $amount } to { $to } was not sent yet.
    Password? 0 menu 00 exit
resume-give-unnamed =
    Your gift was not sent yet. Enter the card's password to send it.
    0 menu 00 exit
resume-top-up =
    You were putting { $amount } on your own phone. Enter the card's password.
    0 menu 00 exit
resume-top-up-unnamed =
    You were topping up your own phone. Enter the card's password.
    0 menu 00 exit
resume-bind =
    You were binding a card. Enter the six-digit password printed on it.
    0 menu 00 exit
resume-amount =
    You were sending airtime to { $to }. Enter the amount.
    0 menu 00 exit
resume-recipient =
    You were sending { $amount }. Enter the recipient's phone number.
    0 menu 00 exit
resume-recipient-unnamed =
    You were sending airtime. Enter the recipient's phone number.
    0 menu 00 exit
last-given =
    Your gift of { $amount } to { $to } was sent at { $when }.
    Receipt { $receipt }
    0 menu 00 exit
last-topped-up =
    Your own phone got { $amount } at { $when }.
    0 menu 00 exit
last-done =
    What you asked for last was done.
    0 menu 00 exit
last-not-done =
    What you asked for last was not done. Nothing was sent.
    0 menu 00 exit

# Limits: `limit-...` says what is limited, `window-...` in which time
limit-sender = { $ceiling } { $window }
limit-recipient = a recipient may get { $ceiling } { $window }
limit-pair = { $ceiling } { $window } to the same person
limit-card = { $ceiling } { $window } from one card
limit-top-up = { $ceiling } { $window } to your own phone
ceiling-count = { $count }
window-day = a day
window-month = a month
window-days = in { $days } days

# Refusals
refusal-service-closed = The service is closed. Nothing was sent. Please ask the service centre.
refusal-caller-unknown = This phone is not registered. Please ask the service centre.
refusal-caller-barred = The service is barred for this phone. Please ask the service centre.
refusal-caller-resting = The SIM card was changed. You can give again after { $when }. If it is urgent, go to the service centre.
    .short = The SIM card was changed. You can give again after { $when }.
refusal-locked = Locked after too many wrong passwords. Dial again after { $when }, or go to the service centre.
refusal-no-card =
    This phone has no card. To bind one, dial:
    { $dial }
refusal-wrong-password = Wrong password. Nothing was sent. Tries left before it locks: { $tries }
refusal-wrong-password-locked = Wrong password, now locked. Dial again after { $when }. If you forgot it, go to the service centre.
wrong-card-or-password = Wrong card number or password. Nothing was bound. Tries left before it locks: { $tries }
refusal-card-frozen = This card is frozen. To use it again, go to the service centre with your papers.
refusal-card-expired = This card has expired. Buy a new one and bind it.
refusal-card-void = This card is void. Please ask the service centre.
refusal-card-already-bound = This card is bound to this phone already. You can use it.
refusal-card-not-sold = This card is not sold yet. Please ask where you bought it.
refusal-card-closed = This card is closed. Please ask the service centre.
refusal-too-many-refusals = Too many refused requests today. You can go on from { $date }.
refusal-amount-recipient-swapped =
    Amount and number are in each other's place. Nothing was sent. Dial:
    { $dial }
    .short =
    Amount and number are swapped. Nothing was sent. Dial:
    { $dial }
refusal-recipient-malformed = The recipient's number is not right. Nothing was sent. Check it and dial again.
refusal-amount-malformed = The amount is not right. Nothing was sent. Dial it in digits only.
refusal-recipient-elsewhere = That number is of another network. You can give to numbers of { $operator } only.
refusal-recipient-unknown = This number can't receive. Nothing was sent. Check it and dial again.
refusal-recipient-is-caller =
    That is your own number. For your own phone dial:
    { $dial }
refusal-amount-below-minimum = The amount is too small. Nothing was sent. The least is { $amount }
refusal-amount-above-maximum = The amount is too large. Nothing was sent. The most is { $amount }
refusal-amount-off-step = Amounts go in steps of { $amount }. Nothing was sent.
refusal-repeated =
    You sent this at { $when } already (receipt { $receipt }). It was not sent twice.
    You can send it again from { $again }
    .short = Sent at { $when } already, not twice (receipt { $receipt }). Again from { $again }
refusal-repeated-top-up =
    You put { $amount } on your phone at { $when } already (receipt { $receipt }). It was not done twice.
    You can do it again from { $again }
    .short = You put { $amount } on your phone at { $when } already. Receipt { $receipt }. Again from { $again }
refusal-sender-too-young = Your number is new. You can give from { $date }.
refusal-recipient-too-young = The recipient's number is new. It can receive from { $date }.
refusal-limit-reached = The limit is reached ({ $limit }). Nothing was sent. You can go on from { $date }.
    .short = The limit is reached. Nothing was sent. You can go on from { $date }.
refusal-recipient-balance-max = The recipient's airtime would be too much. At most { $amount } can be sent now.
refusal-insufficient-funds = The card is short by { $amount }. Nothing was sent. Send less or bind a new card.
refusal-nothing-to-undo = There is nothing to undo. What was received can't be undone.
refusal-new-password-malformed = A new password is six digits. The password was not changed.
refusal-new-passwords-differ = The two new passwords differ. The password was not changed.
refusal-new-password-trivial = This password is too easy to guess. It was not changed. Choose another one.
refusal-new-password-same = The new password is the old one. It was not changed.
refusal-binding-blocked = This card had too many wrong passwords. Take it to the service centre.
refusal-too-many-cards = A phone can have { $max } cards at most. Please ask the service centre.
refusal-language-not-offered = This language is not offered.

# Refusals that only the operator's people hear
refusal-operator-unknown = There is no such operator.
refusal-rules-clash = The rules clash with: { $with }
    .short = The rules clash.
refusal-subscriber-unknown = No subscriber has this number.
refusal-number-out-of-range = A number is out of range (place { $place }).
refusal-card-unknown = There is no such card.
refusal-card-number-taken = This card number exists already (place { $place }).
refusal-card-state-forbids = The card's state does not allow that: { $state }
refusal-amount-overflow = The amount is too large to compute.
refusal-too-much-at-once = Too much at once. The most is { $max }
refusal-nothing-to-change = There is nothing to change.
refusal-office-only = Only the service centre can do this.
refusal-twice-in-list = The same number stands twice in the list (place { $place }).

# SMS to the recipient
sms-gift = You got { $amount } of airtime ({ $minutes }) from { $from }. Receipt { $receipt }
    .short = Airtime { $amount } ({ $minutes }) from { $from }. Receipt { $receipt }
sms-gift-greeting = { $greeting } You got { $amount } of airtime ({ $minutes }) from { $from }. Receipt { $receipt }
    .short = { $greeting } Airtime { $amount } ({ $minutes }) from { $from }. Receipt { $receipt }
greeting-birthday = Happy birthday!
greeting-wedding = Best wishes for your wedding!
greeting-new-year = Happy New Year!
greeting-exam = Good luck with your exam!
greeting-thanks = Thank you!
greeting-get-well = Get well soon!
# The same occasions in the menu
occasion-birthday = birthday
occasion-wedding = wedding
occasion-new-year = New Year
occasion-exam = exam
occasion-thanks = thanks
occasion-get-well = get well

# SMS to the sender, where the screen may not have been seen
sms-gave = You sent { $amount } to { $to }. Left on the card: { $left }. Receipt { $receipt }
    .short = Sent { $amount } to { $to }. Left { $left }. Receipt { $receipt }
sms-gave-fee = You sent { $amount } to { $to }, fee { $fee }. Left on the card: { $left }. Receipt { $receipt }
    .short = Sent { $amount } to { $to }, fee { $fee }. Left { $left }. Receipt { $receipt }
sms-held = On hold: { $amount } to { $to }, until { $when }. To undo, dial { $dial } Receipt { $receipt }
    .short = On hold { $amount } to { $to } until { $when }. Undo: { $dial } { $receipt }
sms-undone = Undone: { $amount } to { $to }. On the card: { $left }. Receipt { $receipt }
    .short = Undone { $amount } to { $to }. Left { $left }. Receipt { $receipt }
sms-hold-voided = Not sent: { $to } can't receive now. { $amount } is back, on the card: { $left }. Receipt { $receipt }
    .short = Not sent to { $to }: { $amount } is back. Left { $left }. Receipt { $receipt }
sms-hold-voided-full = Not sent: { $to } can't receive so much now. { $amount } is back, on the card: { $left }. Receipt { $receipt }
    .short = Too much for { $to }: { $amount } is back. Left { $left }. Receipt { $receipt }
sms-hold-voided-card = Not sent to { $to }: your card can't be used. { $amount } is back, on the card: { $left }. Receipt { $receipt }
    .short = Card stopped, not sent to { $to }: { $amount } is back. Left { $left }. Receipt { $receipt }
sms-hold-voided-sender = Not sent to { $to }: your phone can't give now. { $amount } is back, on the card: { $left }. Receipt { $receipt }
    .short = You can't give now, not sent to { $to }: { $amount } is back. Left { $left }. Receipt { $receipt }
sms-hold-voided-closed = Not sent to { $to }: the service is closed. { $amount } is back, on the card: { $left }. Receipt { $receipt }
    .short = Service closed, not sent to { $to }: { $amount } is back. Left { $left }. Receipt { $receipt }
sms-topped-up = Your phone got { $amount } from your card. Airtime { $airtime }. Left on the card: { $left }. Receipt { $receipt }
    .short = Your phone got { $amount }. Card { $left }. Receipt { $receipt }
sms-topped-up-fee = Your phone got { $amount } from your card, fee { $fee }. Airtime { $airtime }. Left on the card: { $left }. Receipt { $receipt }
    .short = Your phone got { $amount }, fee { $fee }. Card { $left }. Receipt { $receipt }

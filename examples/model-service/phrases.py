"""What the messages of the data set are made of: one line is one way of writing, with slots in braces.

The two lists overlap on purpose (parcels, banks, codes, offers): both a shop one knows and a swindler write about them.
"""

SPAM = """
Congratulations {name}! You have won a {prize} in our weekly draw. Call {premium} now to claim.
WINNER!! As a valued customer you have been selected to receive a {amount} prize. Code {code}. Valid 12 hours only.
You have 1 new prize waiting: {prize}. Collect at {badlink} before midnight
FREE entry in a weekly competition to win {prize}! Text WIN to {short}. T&C apply, {pence}/msg
Urgent! Your mobile number was awarded {amount}. To claim, call {premium} from a landline.
Your parcel could not be delivered: a fee of {small} is unpaid. Settle it at {badlink} to avoid return.
{shop} delivery: we tried to deliver your item. Reschedule and pay {small} here {badlink}
Your package is on hold at customs. Confirm your address and card: {badlink}
{bank} alert: unusual sign-in detected. Verify your account at {badlink} or it will be suspended.
Dear customer, your {bank} card has been locked. Unlock it here: {badlink}
A new payee was added to your account. If this was NOT you, cancel at {badlink}
{bank}: you have a refund of {amount} pending. Confirm your details {badlink}
Tax office: you are due a rebate of {amount}. Submit your claim within 24h {badlink}
Your subscription failed to renew. Update payment details at {badlink} to keep watching
Need cash today? Loans up to {amount}, no credit check, paid out in 15 minutes. Apply {badlink}
You are pre-approved for a {amount} loan at low rates. Reply YES or call {premium}
Consolidate all your debts into one low monthly payment. Text DEBT to {short}
You may be entitled to {amount} compensation for the accident you had. Text CLAIM to {short}, STOP to opt out
Have you been mis-sold insurance? Our records show {amount} is owed to you. Reply CLAIM
Work from home and earn {amount} a week, no experience needed. Start now: {badlink}
We reviewed your CV and offer a part-time job, {amount} daily. Add our manager on chat {number}
Make money while you sleep! My crypto group made {amount} last week. Join {badlink}
Bitcoin is up again. Double your deposit today only with code {code} at {badlink}
Hot singles in {place} want to meet you tonight. Reply CHAT to {short}, {pence} per msg
Someone who knows you has a secret crush on you! Find out who: call {premium}
Sexy pics waiting 4 u. Txt PIC to {short} now, 18+ only
You have a voicemail from an admirer. Listen on {premium}, {pence}/min
Get the latest ringtones and games FREE for a week, text TONE to {short}. Then {pence} weekly
Upgrade to the newest {phone} for FREE on us today! Call {premium} now, offer ends soon
Your phone is due a FREE upgrade. Reply UP to {short} and get a {phone} plus unlimited minutes
Lose 10 kg in 3 weeks with this one simple trick! Order your trial now {badlink}
Cheap meds without prescription, fast and discreet shipping: {badlink}
Designer watches and bags 85% off, today only, worldwide shipping {badlink}
LAST CHANCE!!! Everything must go, up to 90% off. Shop {badlink}
Exclusive casino bonus: {amount} free chips and 200 spins, no deposit! Play {badlink}
Bet {small} get {amount} in free bets this weekend! Sign up {badlink} 18+
You have been chosen for a holiday to {resort} for 2, all inclusive! Call {premium}
Win a VIP trip to {resort}! Just answer: what is the capital of France? A) Paris B) Rome. Text to {short}
Your computer has a virus! Call our support at {premium} immediately
Your cloud storage is full and your photos will be deleted. Get 50GB free: {badlink}
Complete our 1 minute survey and receive a {shop} gift card worth {amount}: {badlink}
{shop} is giving away {amount} vouchers to the first 500 customers! {badlink}
Final notice: your vehicle's warranty is about to expire. Call {premium} to extend
Outstanding toll of {small} on your vehicle. Pay by {day} to avoid a penalty {badlink}
A court case was opened against your number. Press 1 or call {premium} to talk to an officer
Your electricity will be cut off at {time} today as your last bill was not updated. Call our officer {number}
Get your KYC done today or your wallet will be blocked {badlink}
You've been added to our investors list. {amount} profit guaranteed, ask me how
Thank you for your order of {phone} for {amount}. Not you? Call {premium} for a refund
Hi, I found your profile and think you look nice. Want to chat? my pics are here {badlink}
""".strip().splitlines()

HAM = """
Hey {name}, are we still on for {meal} at {time}?
I'll be {mins} minutes late, traffic is terrible near {place}
Can you pick up {food} on your way home? We are out
Happy birthday {name}!! Hope you have a lovely day, see you at the party
Mum says {meal} is at {time} on {day}, bring your laundry if you want :)
ok see you there
Did you get home safe? Text me when you can
Sorry, I'm in a meeting. Will call you back after {time}
Lol that is so funny, send it to {name} too
The meeting moved to {time}, room {room}. Please tell {name}
Could you send me the slides from {day}? I missed the last half hour
Thanks for your help yesterday, I really owe you one
I left my keys at yours, can I come by at {time}?
Running for the train now, talk later
Do you want to go to the cinema on {day}? That new film is on at {time}
No worries, take your time. I'm at the cafe in {place}
Good luck with your exam today {name}, you will be fine!
How was the interview? Tell me everything
The kids are asleep already, no need to hurry
Please water the plants while we are away, the key is with {name}
What's the wifi password at your place again?
I think I'm coming down with something, won't be in today
Just landed, waiting for the bags. Pick me up at {time}?
Can we do {day} instead? {name} has football practice
I paid for {meal}, you owe me {small}, no rush
Can you lend me {small} until {day}? Forgot my card
Thanks for lending me the {amount}, I'll transfer it back on {day}
I transferred {amount} for the rent, let me know when it has arrived
Guess who won the quiz last night!! We got a {food} basket as prize haha
We won the match {room} to 1, what a game. Beers at {place} tonight
The doctor's appointment is on {day} at {time}. Don't forget the form
Reminder: your dentist appointment is on {day} at {time}. Reply C to confirm or call us on {number}
Your table for {people} at {time} on {day} is confirmed. See you soon, Trattoria {place}
{code} is your verification code. Don't share it with anyone.
Use code {code} to sign in to {bank}. We will never ask you for it.
{bank}: you paid {small} at {shop} with your card ending {code4}.
{bank}: your statement for this month is ready in the app.
{shop}: your order has shipped and arrives on {day}. Track it in the app.
Your parcel from {shop} is waiting at the pickup point {place}, open until {time}. Pickup code {code}
Our driver will deliver your {shop} order between {time} and {time}. No need to reply.
Train to {place} at {time} is delayed by {mins} minutes. We are sorry for the inconvenience.
Library: '{book}' is due on {day}. Renew in your account or at the desk.
School closes at {time} on {day} because of the storm. Please collect your children.
Your car is ready to collect, total {amount}. We are open until {time}. Garage {place}
Water will be off in your street on {day} from {time} for repairs. City of {place}
Your prescription is ready at the pharmacy in {place}. Open until {time}
Is the {phone} you are selling still available? I can pay {amount} cash and collect on {day}
Have you seen they have the {phone} for {amount} at {shop}? Cheaper than I thought
Please call me as soon as you get this, it's urgent. Dad is fine but wants to talk
Free for a call now? It's about {day}
Don't click that link in the group, {name}'s account was hacked
As a member you get 10% off on {day} at {shop} {place}. See you in store! Unsubscribe in your account
Your {shop} points expire on {day}: 340 points left. Have a look in the app
Hi {name}, it's {name2} from work, this is my new number. Save it :)
""".strip().splitlines()

# One text of each pair is written with an aim to deceive, and nobody can always tell which.
EITHER = """
Hi mum, my phone broke, this is my new number. Can you text me back?
Hello, is this {name}? We met in {place} last week
Your delivery arrives today. More at {link}
Please call us back on {number} about your account
Your appointment needs to be confirmed, see {link}
Thank you for your payment of {small}. Questions? {number}
Sale at {shop}: 30% off until {day}, {link}
You have a new message. Read it at {link}
Reply YES to confirm your booking for {day}
We tried to reach you, please call {number}
Last chance to register for {day}! {link}
Your invoice of {small} is due on {day}, see {link}
""".strip().splitlines()

SLOTS = {
    "name": "Anna Ben Chloe Daan Eva Femke Sam Lucas Noor Priya Tom Yusuf Maria Jonas Lily Omar",
    "name2": "Kim Peter Sofia Max Elif Ruben",
    "place": "Delft Leeds Ghent Utrecht Porto Lund Turin Bristol Graz",
    "resort": "Bali Ibiza Dubai Cancun Mauritius",
    "bank": "NorthBank CityTrust Meridian PostBank",
    "shop": "Bookly Homely ParcelOne FreshMart Shoemania",
    "phone": "Nova-12 PixelFour Zen-X",
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "meal": "lunch dinner breakfast drinks coffee",
    "food": "milk bread bananas wine cheese rice",
    "mins": "5 10 15 20 25 40",
    "people": "2 3 4 6",
    "book": "Middlemarch Dune Emma Ulysses",
    "prize": "holiday car TV Nova-12 weekend-break £500-voucher",
}

/**
 * What people and their assistant chat about, as templates: `{a|b}` is a choice, `{dish}` a word of the topic's list.
 * @module
 */

/** One thing to chat about. */
export interface ChatTopic {
  /** Short name, unique. */
  readonly name: string;
  /** How the user begins. */
  readonly opens: readonly string[];
  /** What the assistant says to that. */
  readonly answers: readonly string[];
  /** What the user asks then. */
  readonly follows: readonly string[];
  /** How the assistant ends. */
  readonly closes: readonly string[];
  /** Word lists by slot. */
  readonly words: Readonly<Record<string, readonly string[]>>;
}

const words = (text: string): readonly string[] => text.trim().split(/\s*,\s*|\s*\n\s*/);

/** The topics of distracting sessions. No names, no dates and none of the needles' relations occur in them. */
export const CHAT_TOPICS: readonly ChatTopic[] = [
  {
    name: "kitchen",
    opens: [
      "My {bread} came out {fault} again. What should I change?",
      "I want to bake {bread} on {day}, but the kitchen is {state}.",
      "Is it fine to keep {bread} in the freezer for {some} weeks?",
      "The oven seems to run {state}, and every {bread} ends up {fault}.",
    ],
    answers: [
      "A {fault} crumb often means that the dough was {state}. Let it rest {some} minutes longer.",
      "Weigh the flour, keep the water {state}, and check it again after {some} minutes.",
      "Yes, as long as it is wrapped well. Warm it up slowly so that it does not turn {fault}.",
      "Put a small thermometer inside. If the air is {state}, lower the dial a little.",
    ],
    follows: [
      "And how much salt for {some} portions?",
      "Would rye flour make it less {fault}?",
      "Should I leave the tin open or closed while the kitchen is {state}?",
    ],
    closes: [
      "About {some} pinches is enough. You can always add more.",
      "A little rye helps, but the loaf will be heavier.",
      "Leave it open for the last minutes, then let it cool on a rack.",
    ],
    words: {
      bread: words(
        "a loaf, the rolls, a tray of buns, the flatbread, a sponge, the crumble, a tray of biscuits",
      ),
      fault: words("dry, flat, dense, pale, sour, soggy, crumbly, burnt"),
      state: words("too warm, too cold, damp, draughty, a bit dry, rather hot"),
      some: words("two, three, four, five, six, ten, twelve"),
      day: words("Friday, Saturday, Sunday, the weekend, a weekday"),
    },
  },
  {
    name: "garden",
    opens: [
      "The leaves of my {plant} are turning {look}. Am I watering too much?",
      "I would like to move the {plant} to the {place} before it gets cold.",
      "Which soil is right for {plant} in a {place}?",
      "Something eats the {plant} at night and leaves {look} holes.",
    ],
    answers: [
      "Let the top of the soil dry before you water again. {look} leaves are often a sign of wet roots.",
      "Do it in the evening, water well, and keep the {place} shaded for some days.",
      "Use loose soil with a little sand. In a {place} it must drain well.",
      "Those may be snails. Put a board in the {place} and look under it every morning.",
    ],
    follows: [
      "How often should I feed it then?",
      "Can it stay outside when there is frost in the {place}?",
      "Will the {look} leaves recover?",
    ],
    closes: [
      "Every other week is plenty until autumn.",
      "Cover it with fleece when frost is expected.",
      "Old leaves will not, but new ones should be fine. Cut off what looks {look}.",
    ],
    words: {
      plant: words("basil, tomatoes, ferns, beans, roses, lavender, mint, lettuce, tulips, ivy, peas"),
      look: words("brown, spotted, curled, limp, dull, ragged, thin"),
      place: words("raised bed, window box, shady corner, porch, clay pot, border by the wall"),
    },
  },
  {
    name: "travel",
    opens: [
      "I have {some} days off and would like to go {where}. Is that enough time?",
      "Is the {vehicle} or the bus better for getting {where}?",
      "What should I pack for {some} days {where}?",
      "The {vehicle} {where} was cancelled. What are my options?",
    ],
    answers: [
      "{some} days are enough if you stay in one place and keep one morning free.",
      "The {vehicle} is slower but calmer. Book a seat if you travel at the weekend.",
      "One pair of good shoes, a rain jacket, and layers. Leave room for what you buy.",
      "Ask at the desk for the next {vehicle}, and keep the receipt for anything you eat meanwhile.",
    ],
    follows: [
      "Do I need to book the {vehicle} early?",
      "What is it like there in bad weather?",
      "How much should I plan to spend in {some} days?",
    ],
    closes: [
      "Early is cheaper, but there is nearly always a seat.",
      "Take a book. There are small museums and good tea rooms.",
      "Plan for a modest sum a day and keep a little aside.",
    ],
    words: {
      some: words("two, three, four, five, six, nine"),
      where: words(
        "to the coast, to the mountains, along the river, to the islands, across the border, up north",
      ),
      vehicle: words("ferry, train, tram, night coach, shuttle"),
    },
  },
  {
    name: "running",
    opens: [
      "I ran {some} kilometres and now my {part} hurts.",
      "How do I get from {some} kilometres to a longer run without a sore {part}?",
      "My {gear} feels {wrong} after a few minutes. Is that normal?",
      "Is it better to run on {ground} or on the track?",
    ],
    answers: [
      "Rest for a few days, then start on {ground} and keep it short.",
      "Add a little every week and take an easy week now and then. The {part} needs time.",
      "Try it half a size larger. A {gear} that feels {wrong} at the start gets worse.",
      "{ground} is kinder to the joints, but watch your step when it is wet.",
    ],
    follows: [
      "Should I stretch the {part} before or after?",
      "Is a slow run worth it at all?",
      "How long does a {gear} last?",
    ],
    closes: [
      "After, and gently. Before, a short walk is enough.",
      "Yes, most of your runs should be slow.",
      "Change it when the sole feels {wrong} or the edges are worn.",
    ],
    words: {
      some: words("three, four, five, eight, ten, twelve"),
      part: words("knee, ankle, hip, heel, calf, back"),
      gear: words("left shoe, insole, running belt, sock, jacket"),
      wrong: words("tight, loose, hard, slippery, heavy, stiff"),
      ground: words("grass, gravel, sand, a forest path, asphalt"),
    },
  },
  {
    name: "repairs",
    opens: [
      "The {thing} in the hall {trouble}. Can I fix it myself?",
      "What tool do I need for a {thing} that {trouble}?",
      "I took the {thing} apart and have {some} screws left over.",
      "After the last storm the {thing} {trouble} at night.",
    ],
    answers: [
      "Tighten it first, then add a drop of oil. If it still {trouble}, the seal may be worn.",
      "A small wrench will do. Turn off the supply before you touch the {thing}.",
      "Lay the parts out in order and take a picture. {some} spare screws are too many.",
      "Wedge some felt behind it. That is often enough for a {thing}.",
    ],
    follows: [
      "What would a repair shop charge for that?",
      "Where do I find a seal of the right size?",
      "Is it safe to use the {thing} until then?",
    ],
    closes: [
      "Ask for a quote first. A new {thing} may be cheaper.",
      "Take the old one to the shop and compare.",
      "For a while, yes, but keep an eye on it.",
    ],
    words: {
      thing: words("tap, radiator, hinge, blind, cupboard door, light switch, letter slot, shelf"),
      trouble: words("drips, rattles, squeaks, sticks, hums, wobbles, leaks a little"),
      some: words("two, three, four, five, seven"),
    },
  },
  {
    name: "reading",
    opens: [
      "I am {some} chapters into a {kind} and cannot get on with it.",
      "Can you suggest a {kind} that is not too {mood}?",
      "Our book club wants a {kind} for the next meeting.",
      "Do you think a {kind} loses something when it is read aloud?",
    ],
    answers: [
      "Give it {some} more chapters. A {kind} often starts slowly.",
      "Look for a short one. A {mood} ending is easier to bear in two hundred pages.",
      "Pick one with a strong middle, so that there is something to argue about.",
      "A little, but a {mood} passage can gain from a good voice.",
    ],
    follows: [
      "And if it stays {mood}?",
      "How long should such a meeting be?",
      "Do you prefer the old ones or the new ones?",
    ],
    closes: [
      "Then stop. Nobody counts.",
      "An hour and a half, with a break.",
      "The old ones have better weather, the new ones better dialogue.",
    ],
    words: {
      some: words("two, three, four, five, six"),
      kind: words(
        "crime novel, family saga, travel diary, collection of stories, biography, ghost story, sea story",
      ),
      mood: words("gloomy, clever, slow, sentimental, bleak, solemn, silly"),
    },
  },
  {
    name: "office",
    opens: [
      "Please help me write a {tone} mail about the {matter}.",
      "The meeting about the {matter} was moved to {time}. How do I tell everyone?",
      "I have to give a short talk on the {matter} and feel {feeling}.",
      "How do I say no to another {matter} without sounding {feeling}?",
    ],
    answers: [
      "Begin with what you need, then say by when. Keep it {tone} and under six lines.",
      "Send one line with the new time, {time}, and ask for a short reply.",
      "Three points are enough. Say each one twice and stop.",
      "Thank them, name what is on your desk, and offer a day after {time}.",
    ],
    follows: [
      "Should I copy in the whole team?",
      "What if nobody answers before {time}?",
      "Is it too {tone} to end with thanks?",
    ],
    closes: [
      "Only those who must act on it.",
      "Then ask again in person, {time} at the latest.",
      "No, thanks are always fine.",
    ],
    words: {
      tone: words("polite, short, friendly, firm, formal, calm"),
      matter: words("budget, printer contract, room plan, holiday list, safety check, new form, survey"),
      time: words("Monday at nine, Tuesday noon, Thursday afternoon, the end of the week, tomorrow at ten"),
      feeling: words("nervous, unprepared, rude, tired, unsure"),
    },
  },
  {
    name: "money",
    opens: [
      "My {bill} went up by {some} percent. What can I do?",
      "Is it worth paying the {bill} once a year?",
      "I would like to put {some} coins aside every week for a {goal}.",
      "Somebody charged me twice for the {bill}.",
    ],
    answers: [
      "Ask for the reason in writing and compare it with {some} other offers.",
      "If there is a discount, yes. Write the date into your calendar.",
      "Make it automatic, on the day after you are paid. A {goal} comes sooner than you think.",
      "Call them, give the two dates, and ask for the sum back within {some} days.",
    ],
    follows: [
      "What should the letter about the {bill} say?",
      "Is a {goal} a sensible thing to save for?",
      "How long do I have to keep the papers?",
    ],
    closes: [
      "Two sentences: what you paid and what you expected.",
      "If it makes you happy every day, it is.",
      "A few years, in one folder.",
    ],
    words: {
      bill: words("phone bill, heating bill, parking permit, insurance, gym fee, water bill"),
      some: words("three, four, five, eight, ten, fifteen, twenty"),
      goal: words("new sofa, better mattress, coffee machine, desk, roof rack, lawnmower"),
    },
  },
  {
    name: "computers",
    opens: [
      "My {device} has become {state} since the last update.",
      "How do I move all photos from one {device} to another?",
      "The {device} asks for a password that I never set.",
      "Is a {device} with {some} years on it still worth repairing?",
    ],
    answers: [
      "Restart it, free some space, and see whether it is still {state}.",
      "Copy them to a disk first. Then check {some} of them before you delete anything.",
      "Try the one of the account that you used in the shop.",
      "After {some} years a new battery is usually worth it, a new screen is not.",
    ],
    follows: [
      "And if the {device} stays {state}?",
      "How often should I make a copy?",
      "Could it be the cable?",
    ],
    closes: [
      "Then reset it, but save your files before.",
      "Once a week, and keep one copy elsewhere.",
      "It could. Cables break more often than a {device} does.",
    ],
    words: {
      device: words("laptop, tablet, phone, printer, router, screen"),
      state: words("slow, noisy, hot, unreliable, silent, confused"),
      some: words("two, three, four, five, seven"),
    },
  },
  {
    name: "photography",
    opens: [
      "My pictures of {subject} always come out {flaw}.",
      "Which lens should I take for {subject}?",
      "I took {some} pictures of {subject} and like none of them.",
      "Is it rude to photograph {subject} without asking?",
    ],
    answers: [
      "Go closer and wait for softer light. {flaw} pictures often come from haste.",
      "A short one. For {subject} you want to be near.",
      "Keep {some} and look at them again in a month.",
      "In public it is allowed, but a smile before and a word after are better.",
    ],
    follows: [
      "Would a tripod make them less {flaw}?",
      "What time of day do you advise?",
      "Should I print them?",
    ],
    closes: [
      "At dusk, yes. At noon it only slows you down.",
      "The hour after sunrise, when {subject} look best.",
      "Print the three that you would miss.",
    ],
    words: {
      subject: words(
        "bridges, street markets, old doors, clouds, shop windows, children at play, empty squares",
      ),
      flaw: words("blurred, dark, flat, crooked, grainy, overexposed"),
      some: words("thirty, forty, fifty, eighty, a hundred"),
    },
  },
  {
    name: "languages",
    opens: [
      "I forget {part} as soon as I close the book.",
      "Is it better to learn {part} in the morning or at night?",
      "My teacher says that my {part} sound {flaw}.",
      "How do I keep going after {some} weeks without a lesson?",
    ],
    answers: [
      "Say them aloud, write {some} of them on cards, and look at the cards on the way to work.",
      "Mornings for new ones, evenings for old ones.",
      "Record yourself for a minute a day. What sounds {flaw} today will not in a month.",
      "Begin with something you like, a song or a menu, for {some} minutes.",
    ],
    follows: [
      "How many {part} are reasonable for a day?",
      "Should I mind sounding {flaw}?",
      "Does watching films count?",
    ],
    closes: [
      "Not more than ten, or you will drop them all.",
      "Not at all. People like to help.",
      "It does, when you pause and repeat.",
    ],
    words: {
      part: words("verbs, numbers, vowels, prepositions, past tenses, irregular plurals"),
      flaw: words("flat, hurried, stiff, foreign, mumbled"),
      some: words("five, six, eight, ten, twelve, fifteen"),
    },
  },
  {
    name: "sleep",
    opens: [
      "I wake up at {hour} and cannot fall asleep again.",
      "Does {habit} before bed do any harm?",
      "The street is loud until {hour}. What helps?",
      "I slept {some} hours and still feel {feeling}.",
    ],
    answers: [
      "Get up, keep the light low, and go back when you feel {feeling}.",
      "A little {habit} is fine, but stop an hour before.",
      "A heavy curtain helps more than you would think, and so does a fan.",
      "Look at the whole week. {some} hours on one night say little.",
    ],
    follows: [
      "Is a nap at noon a bad idea?",
      "Should I give up {habit} altogether?",
      "When should I see a doctor about it?",
    ],
    closes: [
      "Twenty minutes are fine. Longer ones leave you {feeling}.",
      "Try a week without it and compare.",
      "If it lasts for a month, make an appointment.",
    ],
    words: {
      hour: words("two, three, four, half past one, half past four, midnight"),
      habit: words("tea, reading, stretching, a late supper, a hot bath, the news"),
      feeling: words("heavy, restless, drowsy, dull, wide awake"),
      some: words("four, five, six, seven, eight"),
    },
  },
];

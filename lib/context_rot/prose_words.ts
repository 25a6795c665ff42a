/**
 * The words of the prose generator, by the place they take in a sentence.
 * @module
 */
const words = (text: string): readonly string[] =>
  text.trim().split(/\s*,\s*|\s*\n\s*/).filter((w) => w !== "");

/** People, by what they do. */
export const PEOPLE: readonly string[] = words(`
baker, carpenter, teacher, gardener, clerk, driver, painter, nurse, engineer, farmer, fisherman, musician, printer
tailor, surveyor, librarian, editor, mason, plumber, potter, weaver, sailor, porter, postman, grocer, beekeeper
architect, pilot, chemist, judge, doctor, student, officer, founder, investor, programmer, designer, manager, critic
neighbour, cousin, stranger, traveller, visitor, apprentice, witness, tenant, owner, translator, photographer, cook
`);

/** Adjectives for people and their moods. */
export const TRAITS: readonly string[] = words(`
patient, careful, quiet, cheerful, stubborn, curious, tired, honest, clever, young, old, busy, gentle, proud, shy
lonely, generous, practical, nervous, modest, restless, thoughtful, ambitious, sceptical, famous, retired, new, local
`);

/** Things one can hold, make or mend. */
export const THINGS: readonly string[] = words(`
table, chair, window, door, ladder, barrel, basket, bottle, letter, map, book, notebook, pencil, hammer, rope, wheel
engine, clock, mirror, curtain, carpet, kettle, cup, plate, knife, blanket, coat, boot, hat, glove, button, lamp
piano, violin, drum, radio, telephone, camera, machine, program, computer, keyboard, printer, manual, contract, receipt
ticket, parcel, box, crate, shelf, cupboard, bench, fence, gate, roof, chimney, stove, pump, pipe, cable, battery
`);

/** Adjectives for things. */
export const QUALITIES: readonly string[] = words(`
small, large, wooden, broken, heavy, light, cheap, expensive, simple, strange, narrow, wide, clean, dusty, bright, dark
warm, cold, empty, full, useful, plain, ordinary, familiar, solid, fragile, rusty, painted, borrowed, unfinished, spare
round, square, soft, rough, dry, damp, modern, ancient, foreign, common, rare, polished, crooked, proper
`);

/** Places, with their article. */
export const PLACES: readonly string[] = words(`
the market, the harbour, the station, the library, the old mill, the school, the hospital, the workshop, the kitchen
the garden, the orchard, the valley, the river, the bridge, the town hall, the museum, the theatre, the bakery, the farm
the office, the laboratory, the warehouse, the corner shop, the square, the church, the lighthouse, the forest, the hill
the coast, the village, the capital, the suburbs, the factory, the airport, the hotel, the courtyard, the basement
the attic, the university, the print shop, the post office, the quarry, the vineyard, the meadow, the canal, the island
`);

/** Verbs of doing something to a thing, in the past. */
export const DID: readonly string[] = words(`
repaired, carried, painted, sold, bought, borrowed, measured, described, examined, cleaned, moved, built, designed
finished, lost, found, opened, closed, replaced, tested, improved, copied, drew, sketched, polished, weighed, wrapped
delivered, ordered, returned, collected, sorted, counted, inspected, photographed, admired, forgot, hid, locked, saved
`);

/** Verbs of moving or staying, in the past. */
export const WENT: readonly string[] = words(`
walked to, drove to, hurried to, returned to, looked across, waited near, slept behind, worked in, lived beside
passed, crossed, left, avoided, visited, stood before, cycled past, sat outside, turned towards, kept away from
`);

/** Verbs of thinking and saying that take a clause, in the past. */
export const THOUGHT: readonly string[] = words(`
believed, noticed, explained, remembered, suspected, admitted, hoped, decided, argued, wrote, said, knew, guessed
feared, learned, concluded, repeated, imagined, insisted, complained, predicted, understood, denied, suggested
`);

/** Times and occasions that open a sentence. */
export const TIMES: readonly string[] = words(`
In the morning, By the evening, Last winter, After the storm, Before breakfast, During the harvest, One afternoon
At the end of the month, On a rainy day, In the first year, For a long time, Every so often, Later that week
Towards midnight, At the beginning, In those days, Some years ago, On the way home, When the bell rang, Since then
Before the meeting, After supper, During the holidays, In early spring, Late in the autumn, At noon, Before long
`);

/** Connectives that open a sentence. */
export const LINKS: readonly string[] = words(`
However, As a result, In fact, Of course, For example, Even so, Meanwhile, Still, Besides, In the end, At first
Perhaps, Strangely, Fortunately, In general, To be fair, Instead, Sooner or later, Naturally, In other words
`);

/** Abstract subjects. */
export const IDEAS: readonly string[] = words(`
work, patience, money, the weather, good advice, a bad habit, the truth, a long list, the price, the plan
a small mistake, the idea, the question, language, memory, silence, the law, a promise, the news, a rumour, history, music
practice, trade, fashion, the rule, the schedule, the problem, a good design, the market, success, hard work, taste
an interesting problem, the future, a new technology, the company, the software, the first version, the audience
`);

/** What an abstract subject does to people. */
export const EFFECTS: readonly string[] = words(`
matters more than people admit, changes slowly, takes longer than expected, is easy to forget, costs nothing
surprises almost everyone, grows with every year, needs a second look, makes ordinary days better, rarely lasts
seems obvious afterwards, depends on small decisions, travels faster than a letter, is worth writing down
brings people together, can be learned by anyone, hides in the details, looks different from a distance
tends to win in the end, is harder than it looks, has its own rules, deserves more attention, is never finished
`);

/** Reasons that close a sentence. */
export const REASONS: readonly string[] = words(`
because the road was closed, because nobody had asked before, since the light was better there, as the rain had stopped
because it seemed the right thing to do, so that the others could rest, in order to save time, without saying a word
for no particular reason, although it was already late, while the others were talking, before anyone could object
as if nothing had happened, in spite of the cold, with the help of a friend, for the second time that year
because the old one no longer worked, so the matter was settled, and nobody asked why, but the result was the same
and that was the end of it, which turned out to be a good choice, which took most of the day, after a short rest
`);

/** Numbers in words. */
export const AMOUNTS: readonly string[] = words(`
two, three, four, five, six, seven, eight, nine, ten, a dozen, twenty, thirty, forty, several, a few, many, some
`);

/** Plural things and people for counted phrases. */
export const PLURALS: readonly string[] = words(`
letters, stories, apples, questions, visitors, machines, hours, weeks, mistakes, pages, boats, horses, rooms, children
friends, companies, examples, coins, trees, songs, photographs, experiments, customers, neighbours, meetings, reports
tools, boxes, streets, windows, candles, programs, users, essays, investors, founders, ideas, offers, problems
`);

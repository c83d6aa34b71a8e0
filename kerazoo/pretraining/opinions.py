"""A hundred short opinions on films, as people type them first; no weights are trained on them or chosen by them."""

from __future__ import annotations

GOOD = """
good film
not bad
I loved it
great movie
a masterpiece
highly recommended
one of the best films I have seen
wonderful acting
it made me laugh and cry
absolutely brilliant
a must see
fantastic from start to finish
I enjoyed every minute
beautiful and moving
not bad at all
really funny
the best movie of the year
excellent
superb performances
what a great story
I would watch it again
touching and well acted
my favorite film
a delightful surprise
very entertaining
so much fun
the ending is perfect
I can't wait to see it again
amazing
it is worth watching
a charming little film
I was never bored
great cast and a clever plot
simply wonderful
everyone should see this
better than I expected
gripping until the last minute
well written and well directed
a true classic
I highly recommend this movie
loved the music and the characters
it is a beautiful film
pretty good
the kids loved it
funny, smart and original
outstanding
not a dull moment
this movie is great
incredible performance by the lead actor
it deserves all the awards
"""

BAD = """
bad film
not good
I hated it
terrible movie
a waste of time
avoid this movie
one of the worst films I have seen
awful acting
I fell asleep
absolutely dreadful
don't bother
boring from start to finish
I want my money back
dull and predictable
not good at all
not funny
the worst movie of the year
horrible
poor performances
what a stupid story
I would not watch it again
pointless and badly acted
the plot makes no sense
a huge disappointment
very boring
no fun at all
the ending is terrible
I walked out of the cinema
rubbish
it is not worth watching
a complete mess
I was bored
bad script and worse acting
simply awful
nobody should see this
worse than I expected
I could not wait for it to end
badly written and badly directed
a total failure
I do not recommend this movie
hated the music and the characters
it is an ugly film
pretty bad
the kids hated it
lame, silly and unoriginal
laughable
not a single good joke
this movie is terrible
a weak performance by the lead actor
it deserves all the bad reviews
"""

OPINIONS: tuple[tuple[str, int], ...] = tuple(
    (text, label) for label, listed in ((1, GOOD), (0, BAD)) for text in listed.strip().split("\n")
)
"""Each with its label: 1 is positive."""

"""The exact gate: what is said in other words passes, what is said of something else doesn't."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.figures import figures_in
from assistant.gate import mismatch

PRICES = "Entry costs £4 for adults and is free for children under 12."
VISITORS = "Around 1,200 visitors came in the first week, up from 900 in 2018."
SAME = [
    ("About 4.2 million people live there.", "About 4,200,000 people live there."),
    (PRICES, "Entry is free for children under 12."),
    (PRICES, "Adults pay £4."),
    (VISITORS, "Around 1,200 visitors came in the first week."),
    ("It rose by 38%.", "It rose by 38 per cent."),
    ("It rose by 10 per cent.", "It rose by ten percent."),
    ("Entry is free.", "However, entry is free."),
    ("Quill spoke.", "Mrs Quill spoke."),
    ("John P. Smith spoke.", "John Smith spoke."),
    ("The fee is £4.2 million.", "The fee is £4.2m."),
    ("Twelve people came.", "12 people came."),
    ("Fifty per cent of them came.", "50% of them came."),
    ("It costs 50p.", "It costs £0.50."),
    ("It was the second meeting.", "It was the 2nd meeting."),
    ("It opens at 9am.", "It opens at 09:00."),
    ("It opens at 9 a.m. daily.", "It opens daily at 9am."),
    ("She was appointed on 2024-05-06.", "She was appointed on May 6th, 2024."),
    ("She was appointed on 6 May 2024.", "She was appointed in May 2024."),
    ("Tea costs £5 and cake £7.", "Cake costs £7."),
    ("Entry is £5 for adults and £7 for families.", "Families pay £7."),
    ("Entry is £5 for adults and £7 for families.", "Entry for families is £7."),
    ("Smith earned £5,000 in 2019 and £7,000 in 2020.", "Smith earned £7,000 in 2020."),
    ("The museum opened in 2019. It has 40 rooms.", "The museum has 40 rooms."),
    ("The fee rose from £5 to £7.", "The fee is £7."),
    ("Income rose by 5% while costs fell by 3%.", "Costs fell by 3%."),
    ("The school is not open on Sundays but opens on Mondays.", "The school opens on Mondays."),
    ("A wall of 640 metres protects 312 homes.", "312 homes are protected by the wall."),
    ("John Smith’s house burnt.", "The house of J. Smith burnt."),
    ("Mary Jones and John Smith spoke.", "Mary Jones spoke."),
    ("Write to desk@hall.org or see https://hall.org/fees.", "See hall.org/fees."),
    ("If the budget is approved, the pool will reopen.", "The pool will reopen if the budget is approved."),
    ("The staff were criticised by the managers.", "The managers criticised the staff."),
    ("Ben Moss was succeeded by Ada Quill.", "Ada Quill succeeded Ben Moss."),
    ("The museum, which may close, has forty rooms.", "The museum has forty rooms."),
    ("The library is old. It was sold in 2019.", "The library was sold in 2019."),
    ("Some children are admitted free.", "Some children are admitted free."),
    ("Two of the five schools closed.", "Two of the five schools closed."),
    ("When it opened, the museum had a garden.", "The museum had a garden."),
    ("The council approved the plan in March.", "The plan was approved by the council."),
    ("Ada Quill, who succeeded Ben Moss, resigned.", "Ada Quill resigned."),
    ("Ada Quill, who succeeded Ben Moss, resigned.", "Ada Quill succeeded Ben Moss."),
    ("The fee rose over the last few years.", "The fee rose in recent years."),
    ("Trains run from Leeds to York.", "Trains run from Leeds to York."),
    ("The hall was sold\nin the spring of 2019.", "The hall was sold in 2019."),
]
OTHER = [
    (
        "“I feel a lot has been achieved,” he said. “There has been a lot of hard times.”",
        "“I feel a lot of hard times.”",
        "the words 'I feel a lot of hard times.' aren't in the cited text as they are quoted",
    ),
    ("Tea costs £5 and cake £7.", "Tea costs £7.", "the amount £7 belongs to something else"),
    ("Tea costs £5 and cake costs £7.", "Cake costs £5.", "the amount £5 belongs to something else"),
    ("Tea costs £5 and cake costs £7.", "Tea costs £7.", "the amount £7 belongs to something else"),
    ("Entry is £5 for adults and £7 for families.", "Adults pay £7.", "the amount £7 belongs"),
    ("Adults pay £5. Children pay £3.", "Adults pay £3.", "the amount £3 belongs"),
    ("Tea and cake cost £5 and £7 respectively.", "Tea costs £7.", "the amount £7 belongs"),
    ("Smith earned £5,000 in 2019 and £7,000 in 2020.", "Smith earned £7,000 in 2019.", "belongs to something else"),
    ("Smith earned £5,000 and Jones £7,000 in 2020.", "Smith earned £7,000 in 2020.", "belongs to something else"),
    ("It has 5 rooms on 3 floors.", "It has 3 rooms.", "the number 3 belongs"),
    ("The fee rose from £5 to £7.", "The fee is £5.", "isn't meant as in the cited text"),
    ("The fee rose from £5 to £7.", "The fee rose to £5.", "isn't meant as"),
    ("It seats at least 50 people.", "It seats 50 people.", "isn't meant as"),
    ("It seats at least 50 people.", "It seats at most 50 people.", "isn't meant as"),
    ("Between 5 and 10 people came.", "5 people came.", "the number 5"),
    ("It rose by 5 points.", "It rose by 5%.", "the share 5% isn't in the cited text"),
    ("50 people gave a cent.", "Fifty per cent gave.", "the share Fifty per cent isn't in the cited text"),
    ("It met on 06/05/2024.", "It met on 6 May 2024.", "the date 6 May 2024 isn't in the cited text"),
    ("It met on 06/05/2024.", "It met on June 5, 2024.", "the date June 5, 2024 isn't in the cited text"),
    ("It opens at 9am.", "It opens at 9pm.", "the time 9pm isn't in the cited text"),
    ("The fee rose.", "The fee fell.", "the cited text doesn't say 'fell' but the opposite"),
    ("The fee is £5.", "The minimum fee is £5.", "isn't meant as"),
    ("The minimum fee is £5.", "The maximum fee is £5.", "isn't meant as"),
    ("It was built before 1990.", "It was built after 1990.", "isn't meant as"),
    ("Income rose by 5% while costs fell by 3%.", "Costs rose by 5%.", "belongs to something else"),
    ("Some children are admitted free.", "All children are admitted free.", "doesn't say 'All'"),
    ("Members may vote by post.", "Members may only vote by post.", "doesn't say 'only'"),
    ("The panel refused the plan.", "The panel passed the plan.", "the opposite"),
    ("The school is not open on Sundays but opens on Mondays.", "The school opens on Sundays.", "denies"),
    ("The panel agreed.", "The panel did not agree.", "doesn't deny"),
    ("The council might close the pool.", "The council will close the pool.", "for possible"),
    ("Marram Museum opened.", "Maram Museum opened.", "the name 'Maram Museum' isn't in the cited text"),
    ("John Paul Smith spoke and Mary Jones left.", "Mary Smith spoke.", "the name 'Mary Smith'"),
    ("J. Smith spoke.", "John Smith spoke.", "the name 'John Smith'"),
    ("Mary Smith chaired it and John Jones resigned.", "John Jones chaired it.", "'chaired' of another name"),
    ("He arrived in New Netherland. Manhattan is near.", "He arrived in Manhattan.", "'arrived' of another name"),
    ("The museum is closed on Mondays.", "The museum is closed on mondays and tuesdays.", "the day tuesdays isn't"),
    (
        "The hall hosts concerts on Fridays and closes on Mondays.",
        "The hall hosts concerts on Mondays.",
        "the day Mondays",
    ),
    (PRICES, "Entry costs £4 for children and is free for adults under 12.", "the amount £4 belongs"),
    (PRICES, "Entry is free for adults.", "the amount free belongs"),
    (VISITORS, "Around 1,200 visitors came in the first week, up from 2018.", "isn't meant as"),
    ("Write to a@b.org.", "Write to a@c.org.", "the address a@c.org"),
    ("Call 020 7946 0018.", "Call 020 7946 0019.", "the address 020 7946 0019"),
    ("See www.hall.org/fees.", "See www.hall.org/free.", "the address www.hall.org/free"),
    ("The works began in March and ended in June.", "The works began in June.", "belongs to something else"),
    ("If the budget is approved, the pool will reopen.", "The pool will reopen.", "on a condition"),
    ("The pool will reopen, provided the budget is approved.", "The pool will reopen.", "on a condition"),
    ("When the budget is approved, the pool will reopen.", "The pool will reopen.", "on a condition"),
    ("Without a licence, traders are fined.", "Traders are fined.", "on a condition"),
    ("Unless it rains, the fair opens.", "The fair opens.", "on a condition"),
    (
        "The council may, after a vote, close the pool.",
        "The council will close the pool.",
        "it says 'will' where the cited text says 'may, after a vote'",
    ),
    ("Only members may vote.", "Members may vote.", "says 'Only' of 'members'"),
    ("Some children are admitted free.", "Children are admitted free.", "says 'Some' of 'children'"),
    ("Few traders paid the fee.", "Traders paid the fee.", "says 'Few' of 'traders'"),
    ("Little evidence supports the plan.", "Evidence supports the plan.", "says 'Little' of 'evidence'"),
    ("Former mayor Ada Quill spoke.", "Mayor Ada Quill spoke.", "says 'Former' of 'mayor'"),
    ("The acting director resigned.", "The director resigned.", "says 'acting' of 'director'"),
    ("The deputy mayor resigned.", "The mayor resigned.", "says 'deputy' of 'mayor'"),
    ("The proposed bridge crosses the river.", "The bridge crosses the river.", "for possible"),
    ("Ben Moss was accused of stealing the funds.", "Ben Moss was stealing the funds.", "says 'accused' of it"),
    ("The claim that the hall was sold is false.", "The hall was sold.", "calls it"),
    ("The council averted a strike.", "The council had a strike.", "says 'averted' of it"),
    ("The hall nearly collapsed.", "The hall collapsed.", "says 'nearly' of it"),
    ("Two of the five schools closed.", "Five schools closed.", "isn't meant as"),
    ("Ada Quill succeeded Ben Moss.", "Ben Moss succeeded Ada Quill.", "the other way round"),
    ("The staff criticised the managers.", "The managers criticised the staff.", "the other way round"),
    ("The staff were criticised by the managers.", "The staff criticised the managers.", "the other way round"),
    ("The staff were criticised by the managers.", "The managers were criticised by the staff.", "the other way round"),
    ("The hall was sold.\nThe library was saved.", "The library was sold.", "no one sentence"),
    ("The hall was sold. The library was saved.", "The library was sold.", "no one sentence"),
    ("It cost A$5m.", "It cost $5m.", "isn't in the cited text"),
    ("It rose by 10 percentage points.", "It rose by 10 percent.", "isn't in the cited text"),
    ("It needs a 2/3 majority.", "It needs a 3/2 majority.", "isn't in the cited text"),
    ("Section 12A applies.", "Section 12B applies.", "isn't in the cited text"),
    ("Dozens came.", "A dozen came.", "isn't in the cited text"),
    ("Hundreds of people came.", "A hundred people came.", "isn't in the cited text"),
    ("The council did not, after a vote, close the pool.", "The council closed the pool.", "denies what it says"),
    ("The hall was sold.\nIt was built in brick. The library was saved.", "The library was sold.", "no one sentence"),
    ("The ex-mayor spoke.", "The mayor spoke.", "says 'ex-' of 'mayor'"),
    ("Vice president Ada Quill spoke.", "President Ada Quill spoke.", "says 'Vice' of 'president'"),
    ("Trains run from Leeds to York.", "Trains run from York to Leeds.", "the other way round"),
    ("The mayor denied that the hall was sold.", "The hall was sold.", "denies what it says"),
    ("The mayor, if elected, will open the pool.", "The mayor will open the pool.", "on a condition"),
    ("Ben Moss, a former mayor, spoke.", "Ben Moss, a mayor, spoke.", "says 'former' of 'mayor'"),
    ("The dog bit the man in the park.", "The man bit the dog in the park.", "the other way round"),
    ("Traders who lack a licence are fined, while members pay nothing.", "Members are fined.", "denies what it says"),
    ("Members pay less only if they join early.", "Members pay less.", "for possible"),
    ("Until 2010, the hall was a school.", "The hall is a school.", "on a condition"),
    ("There is no evidence that the bridge is safe.", "The bridge is safe.", "denies what it says"),
    ("It is a myth that the tower leans.", "The tower leans.", "calls it"),
    ("The plan would have closed the pool.", "The plan closed the pool.", "for possible"),
    ("The board promised to open the library.", "The board opened the library.", "says 'promised' of it"),
    ("The lease is void unless it is signed.", "The lease is void.", "for possible"),
    ("Almost all members voted.", "All members voted.", "says 'Almost' of it"),
    ("Neither the hall nor the library was sold.", "The library was sold.", "denies what it says"),
    ("The fund is half owned by the council.", "The fund is owned by the council.", "says 'half' of 'owned'"),
    ("Part of the hall was demolished.", "The hall was demolished.", "says 'Part of the' of 'hall'"),
    (
        "The mayor of York criticised the bishop of Leeds.",
        "The bishop of Leeds criticised the mayor of York.",
        "the other way round",
    ),
    ("Ada Quill, who succeeded Ben Moss, resigned.", "Ben Moss resigned.", "in passing only"),
    ("If the budget is refused, the pool will not reopen.", "The pool will not reopen.", "on a condition"),
]


@pytest.mark.parametrize(("premise", "claim"), SAME)
def test_what_is_said_passes(premise: str, claim: str) -> None:
    assert mismatch(premise, claim) is None


@pytest.mark.parametrize(("premise", "claim", "reason"), OTHER)
def test_what_is_not_said_is_stopped_with_its_reason(premise: str, claim: str, reason: str) -> None:
    found = mismatch(premise, claim)
    assert found is not None
    assert reason in found


@given(st.lists(st.sampled_from(" ".join(text for pair in SAME for text in pair).split()), min_size=1, max_size=12))
def test_a_text_agrees_with_itself_or_is_stopped_and_nothing_raises(words: list[str]) -> None:
    text = " ".join(words)
    assert mismatch(text, text) is None or "respectively" in text or figures_in(text)


@given(st.text(), st.text())
def test_any_text_is_read(premise: str, claim: str) -> None:
    assert isinstance(mismatch(premise, claim), str | None)
    for figure in figures_in(premise):
        assert premise[figure.start : figure.end]


@given(first=st.integers(2, 999), second=st.integers(2, 999))
def test_two_prices_are_never_swapped(first: int, second: int) -> None:
    text = f"Tea costs £{first} and cake costs £{second}."
    assert (mismatch(text, f"Tea costs £{second}.") is None) is (first == second)
    assert mismatch(text, f"Cake costs £{second}.") is None


def test_a_claim_too_long_to_be_checked_is_stopped_with_its_reason() -> None:
    assert "1,999" not in (mismatch("a" * 1999, "a" * 1999) or "")
    assert mismatch("The hall.", "1.1 " * 3750) == "it has 15,000 characters, and no more than 2,000 are checked"
    assert "the cited text has 8,001 characters" in (mismatch("a" * 8001, "The hall.") or "")
    assert mismatch("5 " * 50, "5 " * 50) == "it or the cited text has more figures than are checked"

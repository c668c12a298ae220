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

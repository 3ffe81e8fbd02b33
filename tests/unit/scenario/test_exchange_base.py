"""What all exchanges have, apart from any of them."""

from __future__ import annotations

import pytest

from squall.scenario.exchange_base import ExchangeKind, compiled, known_once, shares_in_words


def test_an_exchange_that_says_nothing_of_itself_is_one_of_a_session_alone() -> None:
    exchange = ExchangeKind()
    assert (exchange.members, exchange.answers_share, exchange.joining, exchange.fills) == (1, 0.0, (), set())
    assert exchange.judges_order


def test_a_template_before_the_first_message_names_no_message() -> None:
    assert known_once({"join": "{room}", "as": "{session}"}) == {"join": "{room}", "as": "{session}"}
    with pytest.raises(ValueError, match=r"\{id\}, \{seq\} belongs to a message"):
        known_once("{seq} {id}")


def test_a_regular_expression_that_is_none_says_where() -> None:
    assert compiled("a+") == "a+"
    with pytest.raises(ValueError, match=r"no regular expression: .* at 0"):
        compiled("+")


def test_shares_are_of_the_whole_and_a_single_one_has_none() -> None:
    assert shares_in_words([("a", 3)]) == "a"
    assert shares_in_words([("a", 3), ("b", 1)]) == "a 0.75, b 0.25"

"""No argument shows its secret, however it was written."""

from __future__ import annotations

import pytest

from squall.cli.secrecy import (
    command_line,
    public_argument,
    scrubbed,
    secrets_in_arguments,
    secrets_in_environment,
)


@pytest.mark.parametrize(
    ("argument", "public"),
    [
        ("Authorization: Bearer abcdef", "Authorization: ***"),
        ("X-Key:abcdef", "X-Key: ***"),
        ("-HX-Key: abcdef", "-HX-Key: ***"),
        ("--header=X-Key: abcdef", "--header=X-Key: ***"),
        ("--haeder=X-Key: abcdef", "--haeder=X-Key: ***"),
        ("Origin: https://host/?key=abcdef", "Origin: ***"),
        ("ws://user:abcdef@host:80/path?key=abcdef#abcdef", "ws://host:80/path?key=***"),
        ("--target=wss://abcdef@host/?abcdef", "--target=wss://host/?***"),
        ("ws://abcdef@a/,ws://abcdef@b/", "ws://a/,ws://b/"),
        ("--threshold=ws_response_time: p(95)<200", "--threshold=ws_response_time: p(95)<200"),
        ("--prometheus=127.0.0.1:9464", "--prometheus=127.0.0.1:9464"),
        ("--web=127.0.0.1:9464", "--web=127.0.0.1:9464"),
        ("--fault=drop:0.01", "--fault=drop:0.01"),
        ("--bug=lose:0.01", "--bug=lose:0.01"),
        ("--listen=127.0.0.1:9464", "--listen=127.0.0.1:9464"),
        ("--watch-command=echo abcdef", "--watch-command=***"),
        ("--watch-comand=echo abcdef", "--watch-comand=***"),
        ("--watch-prometheus=http://joe:abcdef@host/m?k=abcdef", "--watch-prometheus=http://host/m?k=***"),
        ("scenario.yaml", "scenario.yaml"),
        ("--rate=5/s", "--rate=5/s"),
        ("", ""),
    ],
)
def test_an_argument_that_looks_like_a_header_or_a_url_is_masked(argument: str, public: str) -> None:
    assert public_argument(argument) == public


def test_a_command_line_can_be_typed_again_but_for_its_secrets() -> None:
    typed = ["run", "a b.yaml", "-H", "Key: abcdef", "--threshold", "ws_sessions: count>9", "--type", "a:1"]
    assert command_line(typed) == (
        "squall run 'a b.yaml' -H 'Key: ***' --threshold 'ws_sessions: count>9' --type a:1"
    )


def test_what_a_fault_is_told_is_no_secret() -> None:
    typed = ["run", "--fault", "drop:0.01", "--fault=latency:delay=100ms", "--fault", "reset"]
    assert command_line(typed) == "squall " + " ".join(typed)
    assert secrets_in_arguments(typed) == set()


def test_secrets_of_arguments_are_found_in_all_their_parts() -> None:
    found = secrets_in_arguments(
        [
            "-H",
            "Authorization: Bearer abc def",
            "ws://joe:pass%20word@host/?a=q%20x&bare#fragment",
            "--rate",
            "1/s",
        ]
    )
    assert {"Bearer abc def", "abc", "def", "joe", "pass%20word", "q%20x", "q x", "bare", "fragment"} <= found
    assert not {"Bearer", "bearer", "host", "1/s", "a"} & found


def test_a_command_is_secret_as_a_whole() -> None:
    typed = ["run", "--watch-command", "curl -u joe:abcdef x", "--watch-command=ghijkl", "--watch-port", "80"]
    assert command_line(typed) == "squall run --watch-command '***' '--watch-command=***' --watch-port 80"
    assert secrets_in_arguments(typed) == {"curl -u joe:abcdef x", "ghijkl"}


def test_a_variable_that_says_what_is_watched_is_secret_in_its_parts() -> None:
    watched = '[{"command": "echo abcdef"}, {"prometheus": "http://u:pass9@h/m?k=ghijkl", "headers": {"A": "mnopqr"}}]'
    found = secrets_in_environment({"SQUALL_WATCH__TARGET": watched})
    assert {watched, "echo abcdef", "pass9", "ghijkl", "mnopqr"} <= found
    assert secrets_in_environment({"SQUALL_WATCH__TARGET": "no JSON"}) == {"no JSON"}
    assert secrets_in_environment({"SQUALL_WATCH__INTERVAL": "5s"}) == set()


def test_short_texts_are_no_secrets_to_be_searched_for() -> None:
    assert secrets_in_arguments(["-H", "X: ab"]) == set()


def test_variables_that_set_headers_and_urls_are_secret() -> None:
    found = secrets_in_environment(
        {
            "SQUALL_TARGET__HEADERS__X_KEY": "abcdef",
            "SQUALL_TARGET__URL": "ws://host/?key=urlkey,ws://other/?key=second",
            "SQUALL_LOAD__HOLD": "5m",
            "HEADERS": "nothing of ours",
        }
    )
    assert found == {"abcdef", "urlkey", "second"}


def test_a_text_is_scrubbed_of_the_longest_secrets_first() -> None:
    assert scrubbed("abcdef and abc", {"abc", "abcdef"}) == "*** and ***"

"""The jobs in examples/ci/: their own steps are carried out, in their own order, as far as that goes without a cloud.

What a cloud does is checked and not done: the checkout and Python (both are here), the install (squall is on the
path), the upload of artifacts (they lie where the job says). Expressions of the cloud stand for the local target.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest
import yaml

from squall.testing import broken_server, serve

EXAMPLES = Path(__file__).parents[1] / "examples" / "ci"
INSTALL = "python -m pip install ./squall"
SHORT = {
    "SQUALL_LOAD__CONNECTIONS": "10",
    "SQUALL_LOAD__RAMP_UP__DURATION": "0.3",
    "SQUALL_LOAD__HOLD": "1.5",
    "SQUALL_LOAD__RAMP_DOWN__DURATION": "0.2",
    "SQUALL_TRAFFIC__RATE": "20/s",
    "SQUALL_ENGINE__WORKERS": "1",
    "SQUALL_DELIVERY__DRAIN_TIMEOUT": "1",
}
"""Settings from the environment are above those of the file: the job stays as it is."""


@dataclass
class Job:
    """What a cloud makes of a job: commands, each a shell of its own, and what is kept."""

    commands: list[tuple[str, bool]]
    """With whether it is carried out also after a failure."""
    artifacts: list[str]
    junit: str
    environment: dict[str, str] = field(default_factory=dict)


def github(target: str) -> Job:
    document = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
    assert document[True] == ["pull_request"]  # YAML 1.1 reads the key `on` as true, as GitHub knows
    (job,) = document["jobs"].values()
    commands = [(step["run"], step.get("if") == "always()") for step in job["steps"] if "run" in step]
    (upload,) = [step for step in job["steps"] if step.get("uses", "").startswith("actions/upload-artifact@")]
    assert upload["if"] == "always()"
    paths = upload["with"]["path"].split()
    assert job["env"] == {"TARGET": "${{ vars.LOAD_TEST_TARGET }}"}
    return Job(commands, paths, junit="junit.xml", environment={"TARGET": target})


def gitlab(target: str) -> Job:
    (job,) = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text()).values()
    artifacts = job["artifacts"]
    assert artifacts["when"] == "always"
    assert job["retry"]["exit_codes"] == [110, 112]
    script = "\n".join([*job["before_script"], *job["script"]])  # one shell, as GitLab does it
    return Job(
        [(script, False)],
        artifacts["paths"],
        junit=artifacts["reports"]["junit"],
        environment={"LOAD_TEST_TARGET": target},
    )


def carried_out(job: Job, folder: Path, settings: Mapping[str, str]) -> tuple[int, str]:
    """The exit code of the first command that failed, else 0; and all that was said."""
    (folder / "smoke.yaml").write_bytes((EXAMPLES / "smoke.yaml").read_bytes())
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | settings | job.environment | {"PATH": path}
    environment["GITHUB_STEP_SUMMARY"] = str(folder / "page.md")
    code, said = 0, ""
    for command, always in job.commands:
        if code and not always:
            continue
        assert command.count(INSTALL) <= 1
        done = subprocess.run(
            [
                "bash",
                "--noprofile",
                "--norc",
                "-eo",
                "pipefail",
                "-c",
                command.replace(INSTALL, "squall --version"),
            ],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        code = code or done.returncode
        said += done.stdout + done.stderr
    return code, said


def assert_kept(folder: Path, paths: Sequence[str]) -> None:
    assert set(paths) == {"squall-run/", "junit.xml"}
    assert {"summary.json", "summary.md", "record.log"} <= {
        each.name for each in (folder / "squall-run").iterdir()
    }


@pytest.mark.slow
def test_a_sound_service_passes_and_everything_is_kept(tmp_path: Path) -> None:
    with serve() as service:
        job = gitlab(service.url)
        code, said = carried_out(job, tmp_path, SHORT)
    suite = parse(tmp_path / job.junit).getroot()
    # A busy machine may make it invalid, and says so; nothing else may befall it.
    assert code in (0, 110), said
    assert (suite.get("failures"), suite.get("errors") == "0") == ("0", code == 0)
    assert_kept(tmp_path, job.artifacts)


@pytest.mark.slow
def test_a_broken_service_fails_the_job_and_everything_is_kept_all_the_same(tmp_path: Path) -> None:
    with broken_server("lose", every=10) as service:
        job = github(service.url)
        code, said = carried_out(job, tmp_path, SHORT)
    assert code == 99, said
    suite = parse(tmp_path / job.junit).getroot()
    failed = [case.get("name", "") for case in suite.iter("testcase") if case.find("failure") is not None]
    assert "none lost == 0" in failed
    assert_kept(tmp_path, job.artifacts)
    assert (tmp_path / "page.md").read_bytes() == (tmp_path / "squall-run" / "summary.md").read_bytes()


def test_a_job_without_a_target_is_a_mistake_and_not_a_pass(tmp_path: Path) -> None:
    code, said = carried_out(gitlab(""), tmp_path, {})
    assert code == 104, said
    assert not (tmp_path / "junit.xml").exists()

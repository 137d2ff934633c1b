"""``doctor``: what is wrong here, and how to put it right."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict

import click

from napari_gen2seg.cli.say import say
from napari_gen2seg.common.text import count_text

_MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


@click.command()
@click.option(
    "--no-window",
    is_flag=True,
    help="Leave out what only napari's window needs (Qt, display).",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def doctor(ctx: click.Context, no_window: bool, as_json: bool) -> None:
    """Check this installation; name each problem and its fix.

    Ends with status 1 if there is a problem. Takes about half a minute.
    """
    from napari_gen2seg.doctor import examine

    findings = []
    for finding in examine(window=not no_window):
        findings.append(finding)
        if not as_json:
            say(f"{_MARKS[finding.status]} {finding.subject}: {finding.text}")
            if finding.fix:
                say(f"        -> {finding.fix}")
    problems = sum(finding.status == "problem" for finding in findings)
    notes = sum(finding.status == "note" for finding in findings)
    if as_json:
        say(json_module.dumps([asdict(finding) for finding in findings], indent=2))
    elif problems:
        say(f"{count_text(problems, 'problem')} found.")
    elif notes:
        say(f"No problem found; {count_text(notes, 'note')} above.")
    else:
        say("Everything is in order.")
    ctx.exit(1 if problems else 0)

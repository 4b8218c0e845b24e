import io
import json

from certlib.batch import BatchSummary
from certlib.progress import Progress, batch_report, batch_text


def shown(*, as_json: bool) -> str:
    stream = io.StringIO()
    progress = Progress(stream=stream, as_json=as_json, started=0.0)
    progress(1_000_000, 12, 0.5)
    progress(1_000_001, 12, 0.5)  # too soon after the last
    progress(7, 0, 1.0)
    return stream.getvalue()


def test_a_terminal_sees_one_line_that_is_written_over() -> None:
    parts = shown(as_json=False).split("\r")
    assert [len(part.rstrip("\n")) for part in parts[1:]] == [70, 70]
    assert parts[1].startswith("1,000,000 rows  12 refused   50%  ")
    assert parts[2].endswith("\n")


def test_programs_see_one_object_a_line() -> None:
    lines = [json.loads(line) for line in shown(as_json=True).splitlines()]
    assert [line["rows"] for line in lines] == [1_000_000, 7]
    assert lines[-1]["seconds_left"] == 0


def test_a_summary_says_what_to_do_next() -> None:
    summary = BatchSummary(
        read=10, issued=5, already=2, changed=1, refused=3, refused_by_code={"required": 1, "too_long": 2},
        seconds=2.0, errors_csv="out/errors.csv", issued_csv="out/issued.csv", interrupted=True,
    )  # fmt: skip
    assert batch_text(summary).splitlines() == [
        "read 10 rows (2.0 s, 5 rows/s)",
        "  5 issued",
        "  2 had been issued before",
        "  1 of them given the register's status",
        "  3 refused",
        "          2  too_long",
        "          1  required",
        "Mend the rows in out/errors.csv and run the same command on that file.",
        "Identifiers, codes and files: out/issued.csv",
        "Stopped before the end. Run the same command again: nothing is issued twice.",
    ]
    assert batch_report(summary)["per_second"] == 5.0


def test_a_check_says_what_could_be_issued() -> None:
    summary = BatchSummary(check=True, read=9, lawful=4, already=3, refused=2, seconds=1.0, errors_csv="errors.csv")
    assert batch_text(summary).splitlines()[:4] == [
        "checked 9 rows (1.0 s, 9 rows/s)",
        "  4 can be issued",
        "  3 had been issued before",
        "  2 cannot",
    ]

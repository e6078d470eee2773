"""What a report becomes: its file, its plots, and the words above them."""

import json
import struct
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from reports import partition_report

from gossamer.simulations import MissingExtra
from gossamer.simulations.report import (
    Convergence,
    Curve,
    Happening,
    Report,
    Series,
    Spread,
    convergence_finding,
    detection_finding,
    duration,
    grid,
    lanes,
    members_finding,
    outcome,
    percent,
    report_of,
    size,
    traffic_finding,
    write_report,
)
from gossamer.simulations.report._plots import PLOTS
from gossamer.simulations.report._style import save, style
from gossamer.simulations.scenario import Latency, ZonePath


def _names(paths: list[Path]) -> set[str]:
    return {path.name for path in paths}


def _is_well_formed(path: Path) -> bool:
    data = path.read_bytes()
    if path.suffix == ".svg":
        return ElementTree.fromstring(data).tag.endswith("}svg")
    width, height = struct.unpack(">II", data[16:24])
    return data.startswith(b"\x89PNG\r\n\x1a\n") and width == 1500 and 300 < height < 2000


def _draw(report: Report, directory: Path, *names: str) -> list[Path]:
    """Draw some of the plots alone: each takes some tenths of a second."""
    written: list[Path] = []
    with style():
        for name in names:
            figure = PLOTS[name](report)
            if figure is not None:
                written += save(figure, directory, name)
    return written


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Everything that is written of a report, in a directory that was not there."""
    return write_report(partition_report(5), tmp_path_factory.mktemp("out") / "new" / "folder")


def test_a_report_becomes_a_document_and_plots_of_both_kinds(written: list[Path]) -> None:
    """Every plot is there as PNG and as SVG, well-formed and of a readable size."""
    names = ("overview", "convergence", "members", "traffic", "detection")
    kinds = {f"{name}.{kind}" for name in names for kind in ("png", "svg")}
    assert _names(written) == {"report.json"} | kinds
    for path in written[1:]:
        assert _is_well_formed(path), path


def test_the_document_can_be_shown_again(written: list[Path], tmp_path: Path) -> None:
    """A report read from its file is the report that was written, and draws the same bytes."""
    document = json.loads(written[0].read_text())
    assert report_of(document) == partition_report(5)
    again = _draw(report_of(document), tmp_path, "overview", "convergence")
    for path in again:
        assert path.read_bytes() == written[0].with_name(path.name).read_bytes(), path.name


def test_zones_and_their_paths_are_read_again() -> None:
    """What a report tells of its network comes back from JSON as it was."""
    far = ZonePath(zones=("a", "b"), latency=Latency(kind="constant", low_ms=80))
    report = replace(partition_report(3), zones={"a": 3.0, "b": 1.0}, paths=(far,))
    assert report_of(json.loads(json.dumps(report.as_json()))) == report


@pytest.mark.parametrize("document", [{}, {"scenario": "x"}, {"scenario": 1, "convergence": 2}])
def test_what_is_no_report_is_refused(document: dict[str, object]) -> None:
    """A document of another kind is named as such, instead of a fault far away."""
    with pytest.raises(ValueError, match="not the report"):
        report_of(document)


def test_unknown_keys_of_a_later_version_are_passed_over() -> None:
    """A document with more in it than is known here can still be shown."""
    report = partition_report(3)
    assert report_of({**report.as_json(), "news": 1}) == report


def test_a_plot_with_nothing_to_show_is_left_out(tmp_path: Path) -> None:
    """Without crashes there is no histogram, without changes no curve, without samples no bands."""
    report = partition_report(1, crashes=0, changes=0)
    assert _draw(report, tmp_path, "convergence", "detection") == []
    unsampled = replace(report, series=Series())
    assert _draw(unsampled, tmp_path, "overview", "members", "traffic") == []


def test_the_smallest_mesh_can_be_drawn(tmp_path: Path) -> None:
    """One peer to which nothing happens has a band and traffic of its own."""
    report = replace(partition_report(1, crashes=0, changes=0), timeline=[])
    drawn = _draw(report, tmp_path, "members", "traffic")
    assert len(drawn) == 4
    assert all(_is_well_formed(path) for path in drawn)


def test_a_thousand_peers_have_a_thousand_bands(tmp_path: Path) -> None:
    """A large mesh is drawn peer by peer, in a picture of bounded height."""
    report = partition_report(1000)
    assert len(grid(report.series, 1000, 1000).rows) == 1000
    assert all(_is_well_formed(path) for path in _draw(report, tmp_path, "members"))


def test_a_crowd_shows_its_gravest_state() -> None:
    """Where peers and samples share a cell, a short suspicion of one is what is shown."""
    series = Series(seconds=[0.0, 1.0, 2.0, 3.0], peers=["p0", "p1"], bands=["aaaa", "asla"])
    assert grid(series, 3, 2).rows == ["aaa", "asl"]
    assert grid(series, 1, 1).rows == ["s"]
    assert grid(series, 1, 1).peers_in_row == 2


def test_no_state_is_drawn_before_it_was_seen() -> None:
    """Between samples the earlier one holds, so that nothing precedes its cause."""
    series = Series(seconds=[0.0, 2.0, 4.0], peers=["p0"], bands=["aad"])
    assert grid(series, 8, 1).rows == ["aaaaaaaa"]
    assert grid(replace(series, bands=["add"]), 4, 1).rows == ["aadd"]


def test_happenings_of_one_kind_share_a_row() -> None:
    """However often peers crash, the timeline stays a few rows high."""
    crashes = [Happening(at=number, what=f"crash p{number}") for number in range(9)]
    cuts = [Happening(at=number, what="cut a from b", until=99.0) for number in (1.0, 2.0)]
    one, other = lanes([*crashes, *cuts], 10.0)
    assert (one.label, len(one.spans)) == ("crash p0 and 8 more", 9)
    assert (other.label, other.spans) == ("cut a from b, 2 times", [(1.0, 10.0), (2.0, 10.0)])
    kinds = [Happening(at=1.0, what=letter) for letter in "abcdefghij"]
    assert len(lanes(kinds, 10.0, most=4)) == 4


def test_names_that_look_like_formulas_are_drawn_as_they_are(tmp_path: Path) -> None:
    """A dollar sign or a bracket in an event's text breaks no plot."""
    report = partition_report(3)
    odd = replace(report, timeline=[Happening(at=1.0, what="cut $x^{ from \\frac <&>" * 9)])
    assert all(_is_well_formed(path) for path in _draw(odd, tmp_path, "traffic"))


def test_without_matplotlib_the_document_is_written_and_the_extra_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was simulated is not lost for want of a package that draws."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"gossamer\[sim\]"):
        write_report(partition_report(3), tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["peers"] == 3


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        *((None, "-"), (0.0, "0 s"), (0.00025, "0.25 ms"), (0.0413, "41.3 ms"), (0.9999, "1 s")),
        *((1.234, "1.23 s"), (125.4, "125 s"), (12345.6, "12,346 s")),
    ],
)
def test_times_have_three_digits_and_a_fitting_unit(seconds: float | None, said: str) -> None:
    """A time reads the same on the terminal and above a plot."""
    assert duration(seconds) == said


def test_shares_and_sizes_never_round_to_nothing_or_all() -> None:
    """A share that is not 0 or 1 is not shown as if it were."""
    assert [percent(share) for share in (0.0, 1e-6, 0.005, 0.99999, 1.0, None)] == [
        *("0 %", "< 0.01 %", "0.5 %", "> 99.99 %", "100 %", "-"),
    ]
    assert [size(count) for count in (0.0, 999.0, 2310.0, 4e6)] == [
        *("0 B", "999 B", "2.31 kB", "4 MB"),
    ]


def _unlucky(report: Report) -> Report:
    nobody = Convergence(
        changes=3, complete=0, p50=None, p99=None, max=None,
        half=Spread(), nearly=Spread(), everybody=Spread(), curve=Curve(),
    )  # fmt: skip
    return replace(
        report, convergence=nobody, detection=replace(report.detection, detected=0), converged=False
    )


def test_titles_state_what_was_found() -> None:
    """Each title is a sentence with its figure in it, and a failure is said as one."""
    report = partition_report()
    assert convergence_finding(report).endswith("knew a change after 39.5 ms (p99)")
    assert "to all after 1.75 s" in detection_finding(report)
    assert "as dead, first at 14 s; at the end 0 %" in members_finding(report)
    assert "11.4 datagrams with 2.31 kB" in traffic_finding(report)
    assert "1.31 s at most after healing" in outcome(report)
    bad = _unlucky(report)
    assert convergence_finding(bad).startswith("None of 3 changes")
    assert detection_finding(bad).startswith("None of 3 crashes")
    assert "did not agree" in outcome(bad)

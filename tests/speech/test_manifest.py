import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.speech.library import own_fixtures
from harness.speech.manifest import Composed, Cut, Gap, Generated, Recorded, _entry, read_manifest
from tests.speech.conftest import WriteManifest


def test_the_three_kinds_of_clip_are_read(write_manifest: WriteManifest, recorded: str) -> None:
    entries = read_manifest(
        write_manifest(
            recorded
            + '[clips.twice]\nrole = "caller"\n'
            + 'parts = ["yes", {silence_ms = 500}, {clip = "yes", from_ms = 100}]\n'
            + '[clips.quiet]\ngenerate = "silence"\nduration_ms = 100\n'
        )
    )
    assert [type(entry) for entry in entries.values()] == [Recorded, Composed, Generated]
    twice = entries["twice"]
    assert isinstance(twice, Composed)
    assert twice.parts == (Cut(clip="yes"), Gap(silence_ms=500), Cut(clip="yes", from_ms=100))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('role = "short"', 'role = "hero"', "clips.yes.role"),
        ('language = "en"', 'language = "fr"', "clips.yes.language"),
        ('transcript = "Yes, please."\n', "", "clips.yes.transcript"),
        ("[[270, 1010]]", "[[1010, 270]]", "ascending"),
        ("[[270, 1010]]", "[[270, 1010], [900, 1100]]", "ascending"),
        ("[[270, 1010]]", "[[270, 9999]]", "after the clip's 1280 ms"),
        ("[[270, 1010]]", "[[-1, 1010]]", "clips.yes.speech_ms.0.0"),
        ("duration_ms = 1280", 'duration_ms = "long"', "clips.yes.duration_ms"),
        ('sha256 = "', 'sha256 = "XYZ', "clips.yes.sha256"),
        ('licence = "CC0-1.0"', 'license = "CC0-1.0"', "clips.yes.licen"),
        ('truth = "energy"', 'truth = "guess"', "clips.yes.truth"),
        ("[clips.yes]", '[clips.yes]\ngenerate = "silence"', "exactly one of file, parts, generate"),
        ('file = "{file}"\n', "", "exactly one of file, parts, generate"),
        ("[clips.yes]", "[clip.yes]", "unknown key clip"),
        ("[clips.yes]", "[clips.yes", "is not TOML"),
    ],
)
def test_a_wrong_recording_is_refused_by_file_and_key(
    write_manifest: WriteManifest, recorded: str, old: str, new: str, named: str
) -> None:
    assert old in recorded
    directory = write_manifest(recorded.replace(old, new, 1))
    with pytest.raises(UsageError) as refused:
        read_manifest(directory)
    assert str(directory / "manifest.toml") in str(refused.value)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ('role = "caller"\nparts = []', "clips.new.parts"),
        ('role = "caller"\nparts = 3', "clips.new.parts"),
        ('role = "caller"\nparts = [{silence_ms = 100}]', "must name a clip"),
        ('role = "caller"\nparts = ["yess"]', "names yess, which is no recorded clip"),
        ('role = "caller"\nparts = ["new"]', "names new, which is no recorded clip"),
        ('role = "caller"\nparts = [{clip = "yes", to_ms = 1281}]', "lasts 1280 ms"),
        ('role = "caller"\nparts = [{clip = "yes", from_ms = 900, to_ms = 800}]', "from 900 to 800"),
        ('role = "caller"\nparts = [{clip = "yes", silence_ms = 1}]', "clips.new.parts.0"),
        ('generate = "hum"\nduration_ms = 100', "clips.new.generate"),
        ('generate = "silence"', "missing: duration_ms"),
        ('generate = "silence"\nduration_ms = 100\nseed = 1', "too many: seed"),
        ('generate = "white-noise"\nduration_ms = 100\nlevel_dbfs = 3\nseed = 1', "clips.new.level_dbfs"),
        ('generate = "dtmf"\nlevel_dbfs = -20', "missing: keys"),
    ],
)
def test_a_wrong_composition_or_signal_is_refused_by_its_key(
    write_manifest: WriteManifest, recorded: str, table: str, named: str
) -> None:
    with pytest.raises(UsageError) as refused:
        read_manifest(write_manifest(f"{recorded}\n[clips.new]\n{table}\n"))
    assert "clips.new" in str(refused.value)
    assert named in str(refused.value)


@pytest.mark.parametrize("text", ["", "clips = 3", "[clips]"])
def test_a_manifest_without_clips_is_refused(write_manifest: WriteManifest, text: str) -> None:
    with pytest.raises(UsageError, match=r"no \[clips.NAME\] tables"):
        read_manifest(write_manifest(text))


def test_a_clip_that_is_no_table_is_refused(write_manifest: WriteManifest) -> None:
    with pytest.raises(UsageError, match=r"clips\.yes must have exactly one"):
        read_manifest(write_manifest("[clips]\nyes = 3"))


def test_a_missing_manifest_names_the_file_and_the_variable(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"manifest\.toml cannot be read: No such file") as refused:
        read_manifest(tmp_path)
    assert "HARNESS_FIXTURES" in refused.value.remedy


def test_a_manifest_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not TOML"):
        read_manifest(tmp_path)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    key=st.sampled_from(["file", "parts", "generate"]),
    value=_values,
    rest=st.dictionaries(st.text(), _values),
)
def test_whatever_a_table_holds_it_is_read_or_refused(
    key: str, value: object, rest: dict[str, object]
) -> None:
    """A manifest is written by hand: no mistake in it may end in anything but a UsageError."""
    refused = False
    try:
        entry = _entry(Path("manifest.toml"), "any", rest | {key: value})
    except UsageError:
        refused = True
    assert refused or isinstance(entry, Recorded | Composed | Generated)


def test_our_manifest_gives_each_caller_two_to_six_seconds_in_both_languages_and_voices() -> None:
    entries = read_manifest(own_fixtures())
    callers = [e for e in entries.values() if isinstance(e, Recorded) and e.role == "caller"]
    spans = {
        e.file: e.speech_ms[-1][1] - e.speech_ms[0][0] for e in callers if e.file != "es-f-operator.flac"
    }
    assert all(2000 <= span <= 6000 for span in spans.values()), spans
    assert {(e.language, e.speaker) for e in callers} == {
        (language, speaker) for language in ("es", "en") for speaker in ("female", "male")
    }


def test_every_file_beside_our_manifest_is_declared() -> None:
    directory = own_fixtures()
    declared = {e.file for e in read_manifest(directory).values() if isinstance(e, Recorded)}
    assert declared == {path.name for path in directory.glob("*.flac")}


def test_what_needs_attribution_has_it_beside_the_files() -> None:
    directory = own_fixtures()
    attribution = (directory / "ATTRIBUTION.md").read_text(encoding="utf-8")
    owed = [
        e.file
        for e in read_manifest(directory).values()
        if isinstance(e, Recorded) and e.licence.startswith("CC-BY")
    ]
    assert owed
    assert all(file in attribution for file in owed)


def test_a_cut_that_loses_words_is_given_a_transcript() -> None:
    """Joined transcripts of parts would claim words that the cut took away."""
    document = tomllib.loads((own_fixtures() / "manifest.toml").read_text(encoding="utf-8"))["clips"]
    for name, table in document.items():
        for part in table.get("parts", []):
            if not isinstance(part, dict) or "clip" not in part:
                continue
            whole = document[part["clip"]]
            start, end = part.get("from_ms", 0), part.get("to_ms", whole["duration_ms"])
            loses_words = start > whole["speech_ms"][0][0] or end < whole["speech_ms"][-1][1]
            assert not loses_words or "transcript" in table, name
